import { taskNoteFile } from '../../domain/ids.ts';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

import {
  formatProblems,
  parseTaskNote,
  type TaskNoteProblem,
  type TaskNoteText,
} from '../../domain/task-note-text.ts';
import { TaskNote } from '../../domain/task-note.ts';
import { type Say, withAgentSession } from '../../infra/agents/agent-session.ts';
import { geminiAgent } from '../../infra/agents/gemini.ts';
import { quote } from '../../infra/agents/quote.ts';
import type { AgentWatch } from '../../infra/agents/while-beating.ts';
import { Failure } from '../../infra/failure.ts';
import type { GeminiSettings } from '../../infra/settings.ts';
import { renderTemplate } from '../../infra/templates/render-template.ts';
import { exampleNote } from './example-note.ts';
import type { Plan, PlanInput } from './interface.ts';

export interface PlanningDeps {
  readonly gemini: GeminiSettings;
  readonly tools: { readonly gemini: readonly string[] };
  /** Absolute path of a folder of this machine; working files and transcripts of the agent go here. */
  readonly scratchDir: string;
  /** The worker's environment; the agent gets the allowed part of it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

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
export async function planTaskNote(deps: PlanningDeps, input: PlanInput, watch: AgentWatch): Promise<Plan> {
  await mkdir(deps.scratchDir, { recursive: true });
  const folder = await mkdtemp(join(deps.scratchDir, `plan-${input.experimentId}-`));
  const options = {
    ...watch,
    cwd: folder,
    environment: deps.environment,
    scratchDir: deps.scratchDir,
    transcriptFile: join(deps.scratchDir, 'transcripts', `plan-${input.experimentId}.jsonl`),
    wallClockMs,
  };
  const agent = geminiAgent({
    argv: deps.tools.gemini,
    settings: deps.gemini,
    writableFile: join(folder, taskNoteFile),
    maxTurns: 40,
  });
  try {
    await writeMaterial(folder, input);
    return await withAgentSession(agent, options, (say) => talk(say, folder, input));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function talk(say: Say, folder: string, input: PlanInput): Promise<Plan> {
  const idea = quote(input.idea, maxIdeaCharacters);
  let prompt = renderTemplate('plan-prompt.md.njk', { input, folder, idea });
  let problems: readonly TaskNoteProblem[] = [];
  let tokens = 0;
  for (let tries = 0; tries < maxTries; tries += 1) {
    const answer = await say(prompt);
    tokens += answer.tokens;
    const checked = await checkNote(join(folder, taskNoteFile), input);
    if (checked.status === 'valid') return { note: checked.note, body: checked.body, tokens };
    problems = checked.problems;
    prompt = mendPrompt(input, folder, problems);
  }
  throw new Failure(
    'TaskNoteInvalid',
    `the task note of ${input.experimentId} is still not valid after ${maxTries} tries:\n${formatProblems(problems)}\nSay more in the idea, or write the note by hand and start from it`,
  );
}

async function checkNote(file: string, input: PlanInput): Promise<Checked> {
  const text = await readNote(file);
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
  return problems.length > 0 ? { status: 'invalid', problems } : result;
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

/** What others wrote reaches the agent as files to read, never as words of the prompt. */
async function writeMaterial(folder: string, input: PlanInput): Promise<void> {
  const { readme, files } = input.description;
  const schema = z.toJSONSchema(TaskNote, { io: 'input' });
  await writeFile(join(folder, 'README.md'), readme === '' ? '(the repository has no README.md)\n' : readme);
  await writeFile(join(folder, 'FILES.txt'), `${files.join('\n')}\n`);
  await writeFile(join(folder, 'task-note.schema.json'), `${JSON.stringify(schema, null, 2)}\n`);
  await writeFile(join(folder, 'EXAMPLE.md'), exampleNote);
}
