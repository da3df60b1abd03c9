import { taskNoteFile } from '../../domain/ids.ts';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import {
  formatProblems,
  formatTaskNote,
  parseTaskNote,
  type TaskNoteProblem,
  type TaskNoteText,
} from '../../domain/task-note-text.ts';
import { addUsage, type ModelUsage, tokensOf } from '../../domain/model-usage.ts';
import { type Say, withAgentSession } from '../../infra/agents/agent-session.ts';
import { geminiAgent } from '../../infra/agents/gemini.ts';
import { maskSecrets } from '../../infra/agents/mask-secrets.ts';
import { quote } from '../../infra/agents/quote.ts';
import type { AgentWatch } from '../../infra/agents/while-beating.ts';
import { Failure } from '../../infra/failure.ts';
import { renderTemplate } from '../../infra/templates/render-template.ts';
import type { Catalogue } from '../notes/catalogue.ts';
import { nearNotes } from '../notes/near-notes.ts';
import type { OpenVault } from '../notes/vault.ts';
import type { Plan, PlanInput } from './interface.ts';
import { baselineNoteOf } from './baseline-note.ts';
import type { PlanningDeps } from './plan-deps.ts';
import { writeMaterial } from './plan-material.ts';
import { readResources, type Resources } from './resources.ts';
import { senseProblems } from './sense-problems.ts';

/** The first try, and three times mending. */
const maxTries = 4;
const wallClockMs = 15 * 60_000;
const maxIdeaCharacters = 20_000;

type Checked =
  | ({ readonly status: 'valid' } & TaskNoteText)
  | { readonly status: 'invalid'; readonly problems: readonly TaskNoteProblem[] };

/**
 * Gemini CLI turns an idea into a task note; what is wrong with the note goes back into the same session. Throws
 * `TaskNoteInvalid` with all problems when it is still wrong at the end, and the failures of `runAgent`.
 */
export async function planTaskNote(
  deps: PlanningDeps,
  open: OpenVault,
  input: PlanInput,
  watch: AgentWatch,
): Promise<Plan> {
  const resources = await readResources(deps.resourcesFile);
  const catalogue = await open(watch.signal, (vault) => vault.catalogue());
  await mkdir(deps.scratchDir, { recursive: true });
  const folder = await mkdtemp(join(deps.scratchDir, `plan-${input.experimentId}-`));
  const options = {
    ...watch,
    cwd: folder,
    environment: deps.environment,
    scratchDir: deps.scratchDir,
    transcriptFile: join(deps.scratchDir, 'transcripts', `plan-${input.experimentId}.jsonl`),
    wallClockMs,
    maxTokens: deps.limits.maxTokens,
  };
  const agent = geminiAgent({
    argv: deps.tools.gemini,
    settings: deps.gemini,
    writableFile: join(folder, taskNoteFile),
    maxTurns: 40,
  });
  try {
    const asked = { text: input.idea, metric: '', repository: input.repository, without: [] };
    await writeMaterial(folder, input, { resources, near: nearNotes(catalogue, asked) });
    const { previous } = input;
    if (previous) await writeFile(join(folder, taskNoteFile), formatTaskNote(previous));
    const facts = { resources, notes: catalogue.notes };
    return await withAgentSession(agent, options, (say) =>
      talk(say, folder, input, { ...facts, mask: maskSecrets(agent.secrets) }),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What the note is held against beside the repository. */
interface Surroundings {
  readonly resources: Resources | null;
  readonly notes: Catalogue['notes'];
  /** The model's own key has no place in a note. */
  readonly mask: (text: string) => string;
}

async function talk(say: Say, folder: string, input: PlanInput, around: Surroundings): Promise<Plan> {
  const { previous } = input;
  let prompt = renderTemplate('plan-prompt.md.njk', {
    input,
    folder,
    idea: quote(input.idea, maxIdeaCharacters),
    words: previous?.words ? quote(previous.words, maxIdeaCharacters) : '',
    problems: previous?.problems.length ? quote(formatProblems(previous.problems), 20_000) : '',
    hasPrevious: previous !== undefined && previous !== null,
  });
  let problems: readonly TaskNoteProblem[] = [];
  let usage: readonly ModelUsage[] = [];
  for (let tries = 0; tries < maxTries; tries += 1) {
    const answer = await say(prompt);
    usage = addUsage(usage, answer.usage);
    const text = await readNote(join(folder, taskNoteFile));
    const checked = checkNote(text === null ? null : around.mask(text), input, around);
    if (checked.status === 'valid') {
      return { note: checked.note, body: checked.body, tokens: tokensOf(usage), usage };
    }
    problems = checked.problems;
    prompt = mendPrompt(input, folder, problems);
  }
  throw new Failure(
    'TaskNoteInvalid',
    `the task note of ${input.experimentId} is still not valid after ${maxTries} tries:\n${formatProblems(problems)}\nSay more in the idea, or write the note by hand and start from it`,
  );
}

function checkNote(text: string | null, input: PlanInput, { resources, notes }: Surroundings): Checked {
  if (text === null) {
    return {
      status: 'invalid',
      problems: [{ path: '', value: 'no file', expected: `a file ${taskNoteFile}` }],
    };
  }
  const result = parseTaskNote(text);
  if (result.status === 'invalid') return result;
  const asked = { id: input.experimentId, repository: input.repository, base: input.base };
  const problems = Object.entries(asked).flatMap(([path, expected]) => {
    const value = result.note[path as keyof typeof asked];
    return value === expected
      ? []
      : [{ path, value: JSON.stringify(value), expected: `exactly ${expected}` }];
  });
  const baselineNote = baselineNoteOf(result.note, notes);
  const sense = senseProblems(result, {
    description: input.description,
    baseline: null,
    baselineNote,
    resources,
  });
  return problems.length + sense.length > 0
    ? { status: 'invalid', problems: [...problems, ...sense] }
    : result;
}

async function readNote(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

function mendPrompt(input: PlanInput, folder: string, problems: readonly TaskNoteProblem[]): string {
  return [
    'Task: plan the experiment, the note must be mended.',
    '',
    `Experiment: ${input.experimentId}`,
    `Repository: ${input.repository}`,
    `Base branch: ${input.base}`,
    '',
    `${folder}/${taskNoteFile} is not valid yet. Write the whole file again without these problems:`,
    '',
    quote(formatProblems(problems), 20_000),
  ].join('\n');
}
