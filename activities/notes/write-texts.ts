import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { addUsage, type ModelUsage, tokensOf } from '../../domain/model-usage.ts';
import type { NoteFacts } from '../../domain/note.ts';
import { type AgentSessionOptions, type Say, withAgentSession } from '../../infra/agents/agent-session.ts';
import { defaultModels } from '../../infra/agents/default-models.ts';
import { geminiAgent } from '../../infra/agents/gemini.ts';
import { quote } from '../../infra/agents/quote.ts';
import type { AgentWatch } from '../../infra/agents/while-beating.ts';
import { Failure } from '../../infra/failure.ts';
import { renderTemplate } from '../../infra/templates/render-template.ts';
import type { NotesDeps } from './notes-deps.ts';
import { inventedNumbers } from './note-numbers.ts';
import { plainTexts } from './plain-texts.ts';
import { NoteTexts } from './note-texts.ts';
import { misfits } from './claims.ts';
import { unknownLinks } from './unknown-links.ts';

export interface AuthoredTexts {
  readonly texts: NoteTexts;
  /** Who wrote them, as a sentence for the note. */
  readonly author: string;
  readonly tokens: number;
  readonly usage: readonly ModelUsage[];
}

/** The first try, and twice more with what was wrong. */
const maxTries = 3;
const wallClockMs = 5 * 60_000;

/**
 * Claim, Reading, Limits and Next, by Gemini CLI; by plain sentences where it cannot be had or keeps inventing numbers,
 * and then they say so: a note is never lost because a model is. Throws nothing but a cancellation.
 */
export async function writeTexts(
  deps: NotesDeps,
  facts: NoteFacts,
  watch: AgentWatch,
): Promise<AuthoredTexts> {
  if (facts.task.job === null) return withoutModel(facts, 'it ended before there was a task note', []);
  if (deps.gemini.apiKey === '') return withoutModel(facts, 'no model is configured', []);
  await mkdir(deps.scratchDir, { recursive: true });
  const folder = await mkdtemp(join(deps.scratchDir, `note-${facts.experimentId}-`));
  const agent = geminiAgent({
    argv: deps.tools.gemini,
    settings: deps.gemini,
    writableFile: null,
    maxTurns: 10,
  });
  const options: AgentSessionOptions = {
    ...watch,
    cwd: folder,
    environment: deps.environment,
    scratchDir: deps.scratchDir,
    transcriptFile: join(deps.scratchDir, 'transcripts', `note-${facts.experimentId}.jsonl`),
    wallClockMs,
    maxTokens: deps.limits.maxTokens,
  };
  try {
    await writeFile(join(folder, 'FACTS.json'), `${JSON.stringify(facts, null, 2)}\n`);
    return await withAgentSession(agent, options, (say) => talk(deps, facts, say));
  } catch (error) {
    watch.signal.throwIfAborted();
    if (!(error instanceof Failure)) throw error;
    return withoutModel(facts, `Gemini CLI could not be had (${error.type})`, []);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function talk(deps: NotesDeps, facts: NoteFacts, say: Say): Promise<AuthoredTexts> {
  let prompt = renderTemplate('note-prompt.md.njk', { facts, summary: summarize(facts) });
  let usage: readonly ModelUsage[] = [];
  for (let tries = 0; tries < maxTries; tries += 1) {
    const answer = await say(prompt);
    usage = addUsage(usage, answer.usage);
    const checked = checkTexts(answer.text, facts);
    if (checked.problems.length === 0 && checked.texts !== null) {
      const model = deps.gemini.model ?? defaultModels.gemini.model;
      const author = `Claim, Reading, Limits and Next were written by Gemini CLI (${model}); every number in them was checked against the recorded facts, every claim against the verdict.`;
      return { texts: checked.texts, author, tokens: tokensOf(usage), usage };
    }
    prompt = mendPrompt(facts, checked.problems);
  }
  return withoutModel(
    facts,
    `Gemini CLI gave no text that the facts and the verdict bear out, in ${maxTries} tries`,
    usage,
  );
}

/** The texts in a model's answer, with everything that is wrong with them. */
export function checkTexts(
  answer: string,
  facts: NoteFacts,
): { readonly texts: NoteTexts | null; readonly problems: readonly string[] } {
  const json = answer.slice(answer.indexOf('{'), answer.lastIndexOf('}') + 1);
  let data: unknown;
  try {
    data = JSON.parse(json);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { texts: null, problems: ['the answer is not one JSON object'] };
  }
  const parsed = NoteTexts.safeParse(data);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    return { texts: null, problems };
  }
  return { texts: parsed.data, problems: problemsOf(parsed.data, facts) };
}

/** What was said in a discussion is no fact: a number or a claim may not come in by that way. */
function problemsOf(texts: NoteTexts, { remarks: _said, ...facts }: NoteFacts): string[] {
  const status = facts.evidence?.verdict.status ?? 'unmeasured';
  const { metric } = facts.task;
  return Object.entries(texts).flatMap(([name, words]) => [
    ...inventedNumbers(words, facts).map((number) => `${name}: the number ${number} is not in FACTS.json`),
    ...unknownLinks(words, facts).map((link) => `${name}: the link ${link} is not in FACTS.json`),
    // What to try next may hope for anything.
    ...(name === 'next' || metric === null
      ? []
      : misfits(words, status, metric).map((why) => `${name}: ${why}`)),
  ]);
}

function mendPrompt(facts: NoteFacts, problems: readonly string[]): string {
  return [
    'Task: note what was learned, the answer must be mended.',
    '',
    `Experiment: ${facts.experimentId}`,
    '',
    'Give the whole JSON object again without these problems:',
    '',
    quote(problems.join('\n'), 8000),
  ].join('\n');
}

function withoutModel(facts: NoteFacts, why: string, usage: readonly ModelUsage[]): AuthoredTexts {
  const author = `Claim, Reading, Limits and Next were written without a model: ${why}.`;
  return { texts: plainTexts(facts), author, tokens: tokensOf(usage), usage };
}

function summarize({ task, evidence, failure, decision, gpuHours }: NoteFacts): string {
  const lines = {
    title: task.title,
    hypothesis: task.hypothesis,
    metric: task.metric === null ? 'none' : `${task.metric.name}, ${task.metric.goal}`,
    verdict: evidence?.verdict.status ?? 'none',
    'in words': evidence?.verdict.sentence ?? 'there was no evidence',
    'GPU hours': String(gpuHours),
    decision: decision === null ? 'none' : `${decision.kind} ${decision.reason ?? ''}`.trim(),
    failure: failure ?? 'none',
  };
  return Object.entries(lines)
    .map(([name, value]) => `- ${name}: ${quote(value, 2000).slice(2)}`)
    .join('\n');
}
