import { appendFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { nearNotes } from '../../activities/notes/near-notes.ts';
import type { OpenVault } from '../../activities/notes/vault.ts';
import type { Material } from '../../domain/material.ts';
import { longestRemark, type Remark } from '../../domain/remark.ts';
import { withAgentSession } from '../../infra/agents/agent-session.ts';
import { geminiAgent } from '../../infra/agents/gemini.ts';
import { quote } from '../../infra/agents/quote.ts';
import { Failure } from '../../infra/failure.ts';
import type { AgentLimits, GeminiSettings } from '../../infra/settings.ts';
import { renderTemplate } from '../../infra/templates/render-template.ts';
import { writeEvidence } from './write-evidence.ts';

export interface Discussion {
  readonly id: string;
  readonly by: string;
  readonly material: Material;
  readonly open: OpenVault;
  readonly gemini: GeminiSettings;
  readonly limits: AgentLimits;
  readonly argv: readonly string[];
  /** Of this machine; the evidence, the transcript and what was said go here. */
  readonly scratchDir: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** The next question; null when there is none any more. */
  readonly nextQuestion: () => Promise<string | null>;
  readonly onAnswer: (remark: Remark) => Promise<void>;
}

const wallClockMs = 10 * 60_000;

/**
 * Gemini CLI, with read-only tools, answers questions about the evidence in one session. Each answer is kept in
 * `discussions/<id>.jsonl` before it is shown. Returns how many there were; throws the failures of `runAgent`.
 */
export async function discuss(discussion: Discussion): Promise<number> {
  const { id, by, material, open, scratchDir, signal } = discussion;
  await mkdir(join(scratchDir, 'discussions'), { recursive: true });
  const folder = await mkdtemp(join(scratchDir, `discuss-${id}-`));
  const { note, status } = material;
  const catalogue = await open(signal, (vault) => vault.catalogue());
  const near = nearNotes(catalogue, {
    text: `${status.title}\n${note?.hypothesis ?? ''}`,
    metric: note?.metric.name ?? '',
    repository: status.repository,
    without: [status.note?.path ?? null],
  });
  const agent = geminiAgent({
    argv: discussion.argv,
    settings: discussion.gemini,
    writableFile: null,
    maxTurns: 30,
  });
  const options = {
    cwd: folder,
    environment: discussion.environment,
    scratchDir,
    transcriptFile: join(scratchDir, 'transcripts', `discuss-${id}.jsonl`),
    wallClockMs,
    maxTokens: discussion.limits.maxTokens,
    signal,
  };
  try {
    await writeEvidence(folder, material, near);
    return await withAgentSession(agent, options, async (say) => {
      let count = 0;
      for (
        let asked = await discussion.nextQuestion();
        asked !== null;
        asked = await discussion.nextQuestion()
      ) {
        const question = quote(asked, longestRemark);
        const prompt = renderTemplate('discuss-prompt.md.njk', { id, question, first: count === 0 });
        const { text } = await say(prompt);
        if (text.trim() === '')
          throw new Failure(
            'AgentOutputInvalid',
            'Gemini CLI gave no answer to the question; ask it in other words',
          );
        const answer = text.trim().slice(0, longestRemark);
        const answeredBy = `${agent.name} (${agent.model})`;
        const remark = { by, at: new Date().toISOString(), question: asked, answer, answeredBy };
        await appendFile(join(scratchDir, 'discussions', `${id}.jsonl`), `${JSON.stringify(remark)}\n`, {
          mode: 0o600,
        });
        await discussion.onAnswer(remark);
        count += 1;
      }
      return count;
    });
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
