import { access, readFile } from 'node:fs/promises';

import type { Command } from 'commander';
import writeFileAtomic from 'write-file-atomic';

import { noteTemplate } from '../../../activities/planning/note-template.ts';
import {
  formatProblems,
  formatTaskNote,
  parseTaskNote,
  type TaskNoteText,
} from '../../../domain/task-note-text.ts';
import { unlessMissing } from '../../../infra/unless-missing.ts';
import type { PlanAnswer, PlanRequest } from '../../../workflows/plan-workflow.ts';
import type { PendingTrouble } from '../../seen-experiment.ts';
import { ClientError } from '../../client-error.ts';
import { UsageError } from '../cli-errors.ts';
import { pathFrom, run, withExperiments, withJson, type CliContext, type DataOptions } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { describeTrouble } from '../present-experiment.ts';
import { readSource } from '../read-source.ts';

interface PlanOptions extends DataOptions {
  readonly repo?: string;
  readonly base?: string;
  readonly id?: string;
  readonly out?: string;
  readonly refine?: string;
  readonly template?: boolean;
  readonly check?: string;
  readonly force?: boolean;
}

/** `plan`: a task note from an idea, for a person to read, change and start. */
export function addPlan(program: Command, context: CliContext): void {
  withJson(program.command('plan [idea]'))
    .description(
      'Gemini CLI writes a task note from an idea, checked against repository, cluster, notes and baseline',
    )
    .option('--repo <owner/name>', 'the repository of the experiment')
    .option('--base <branch>', 'the branch to change (default: main)')
    .option('--id <id>', "the experiment's id (default: from the idea's words)")
    .option('--out <file>', 'where the note is written (default: <id>.md)')
    .option('--refine <words>', 'goes on with the note in --out, as you or the model left it')
    .option('--template', 'no model: a note to fill in by hand')
    .option('--check <file>', 'only checks a note that is there')
    .option('--force', 'writes over a file that is there')
    .action((idea: string | undefined, options: PlanOptions) => plan(context, idea, options));
}

function plan(context: CliContext, idea: string | undefined, options: PlanOptions): Promise<void> {
  if (options.template === true)
    return run(context, options, (output) => writeTemplate(context, idea, options, output));
  return withExperiments(context, options, async ({ experiments, output }) => {
    const { request, out } = await readRequest(context, idea, options);
    const told = new Set<string>();
    const onTroubles = (troubles: readonly PendingTrouble[]): void => {
      for (const trouble of troubles) {
        const key = `${trouble.activity} ${trouble.message}`;
        if (!told.has(key)) output.warn(describeTrouble(trouble, Date.now()));
        told.add(key);
      }
      output.progress(output.colours.dim(request.kind === 'check' ? 'checking' : 'Gemini CLI is planning'));
    };
    const answer = await withHint(context, experiments.plan(request, { signal: context.signal, onTroubles }));
    if (request.kind === 'check') return tellCheck(answer, output);
    await writeFileAtomic(out, formatTaskNote(answer));
    output.answer({ file: out, ...answer }, [
      `Written: ${out}`,
      `${answer.note.title}: ${answer.note.hypothesis}`,
      `Change it by hand, or: ${context.program} plan --refine "…" --out ${out}`,
      `Start it: ${context.program} start ${out}`,
    ]);
    return exitCodes.done;
  });
}

/** A model that cannot be had is no reason not to plan. */
async function withHint(context: CliContext, work: Promise<PlanAnswer>): Promise<PlanAnswer> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof ClientError) || error.kind !== 'unreachable') throw error;
    const todo = `By hand: ${context.program} plan "…" --repo owner/name --template, then --check <file>`;
    throw new ClientError(error.kind, `${error.message}\n${todo}`, error);
  }
}

interface Asked {
  readonly request: PlanRequest;
  readonly out: string;
}

async function readRequest(
  context: CliContext,
  idea: string | undefined,
  options: PlanOptions,
): Promise<Asked> {
  if (options.check !== undefined) {
    const note = await readNote(pathFrom(context, options.check));
    return { request: { kind: 'check', note, ...placeOf(note) }, out: '' };
  }
  if (options.refine !== undefined) {
    if (options.out === undefined)
      throw new UsageError('--refine goes on with a note: name it by --out <file>.');
    const out = pathFrom(context, options.out);
    const note = await readNote(out);
    const previous = { ...note, words: options.refine, problems: [] };
    return {
      request: { kind: 'write', idea: idea ?? note.note.hypothesis, previous, ...placeOf(note) },
      out,
    };
  }
  const { id, source } = await readSource(undefined, { ...options, ...(idea !== undefined && { idea }) });
  if (source.kind !== 'idea') throw new UsageError('Nothing to plan: give an idea in quotation marks.');
  const out = pathFrom(context, options.out ?? `${id}.md`);
  await refuseExisting(out, options);
  const { repository, base } = source;
  return { request: { kind: 'write', id, repository, base, idea: source.idea, previous: null }, out };
}

function placeOf({ note }: TaskNoteText): { id: string; repository: string; base: string } {
  return { id: note.id, repository: note.repository, base: note.base };
}

async function readNote(path: string): Promise<TaskNoteText> {
  const text = await unlessMissing(readFile(path, 'utf8'));
  if (text === undefined) throw new UsageError(`There is no task note ${path}: expected a Markdown file.`);
  const result = parseTaskNote(text);
  if (result.status === 'valid') return result;
  throw new UsageError(
    `The task note ${path} is not valid:\n${formatProblems(result.problems)}`,
    result.problems,
  );
}

async function refuseExisting(out: string, { force }: PlanOptions): Promise<void> {
  if (force === true || (await unlessMissing(access(out).then(() => true))) === undefined) return;
  throw new UsageError(
    `${out} is there already: name another file by --out, go on with it by --refine "…" --out, or write over it by --force.`,
  );
}

function tellCheck({ note, problems }: PlanAnswer, output: Output) {
  const lines =
    problems.length === 0 ? [`${note.id}: nothing is wrong with it.`] : [formatProblems(problems)];
  output.answer({ id: note.id, problems }, lines);
  return problems.length === 0 ? exitCodes.done : exitCodes.endedBadly;
}

async function writeTemplate(
  context: CliContext,
  idea: string | undefined,
  options: PlanOptions,
  output: Output,
) {
  const { id, source } = await readSource(undefined, { ...options, ...(idea !== undefined && { idea }) });
  if (source.kind !== 'idea') throw new UsageError('Nothing to plan: give an idea in quotation marks.');
  const out = pathFrom(context, options.out ?? `${id}.md`);
  await refuseExisting(out, options);
  await writeFileAtomic(out, noteTemplate({ id, ...source }));
  output.answer({ file: out, id }, [
    `Written: ${out}`,
    'Fill in what stands between < and >.',
    `Check it: ${context.program} plan --check ${out}`,
  ]);
  return exitCodes.done;
}
