import { join } from 'node:path';

import type { Command } from 'commander';

import type { Catalogue } from '../../../activities/notes/catalogue.ts';
import type { CataloguedNote } from '../../../activities/notes/catalogued-note.ts';
import { createVault } from '../../../activities/notes/vault.ts';
import { loadVaultConfig } from '../../../infra/config/load-config.ts';
import { Failure } from '../../../infra/failure.ts';
import { ClientError } from '../../client-error.ts';
import { UsageError } from '../cli-errors.ts';
import { run, withJson, type CliContext, type DataOptions } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { clean, round, table } from '../format.ts';
import type { Output } from '../output.ts';

interface SearchOptions extends DataOptions {
  readonly limit: string;
}

interface TableOptions extends DataOptions {
  readonly metric?: string;
  readonly repo?: string;
  readonly status?: string;
}

/** `notes search` and `notes table`: what was tried, what came of it, what it cost; from the vault alone. */
export function addNotes(program: Command, context: CliContext): void {
  const notes = program.command('notes').description('looks through the permanent notes in the vault');
  withJson(notes.command('search <words>'))
    .description('finds notes by their words, the nearest first')
    .option('--limit <n>', 'how many', '10')
    .action((words: string, options: SearchOptions) =>
      run(context, options, async (output) => {
        const limit = Number(options.limit);
        if (!Number.isInteger(limit) || limit < 1) {
          throw new UsageError(`--limit is "${options.limit}": expected a whole number from 1 on.`);
        }
        const found = (await catalogueOf(context, output)).search(words, limit);
        const shown = found.map(({ note, score, words: shared }) => ({
          ...note,
          score: Number(score.toFixed(2)),
          words: shared,
        }));
        output.answer(
          { notes: shown },
          found.length === 0
            ? [`No note has any of "${clean(words)}".`]
            : found.flatMap(({ note }) => describe(note)),
        );
        return exitCodes.done;
      }),
    );
  withJson(notes.command('table'))
    .description('a table of all experiments in the vault, the newest first')
    .option('--metric <name>', 'only those that were judged by it, the best first')
    .option('--repo <owner/name>', 'only those of a repository')
    .option('--status <outcome>', 'only merged, rejected, stopped or failed ones')
    .action((options: TableOptions) =>
      run(context, options, async (output) => {
        const { notes: all } = await catalogueOf(context, output);
        const rows = select(all, options);
        output.answer(
          { experiments: rows },
          rows.length === 0 ? ['No such experiment is in the vault.'] : table([heading, ...rows.map(rowOf)]),
        );
        return exitCodes.done;
      }),
    );
}

/** The notes as they are now; what others pushed to a vault that is a remote is taken over first. */
async function catalogueOf(context: CliContext, output: Output): Promise<Catalogue> {
  const { vault, home } = loadVaultConfig({ env: context.env, cwd: context.cwd });
  const open = createVault({ vault, scratchDir: join(home, 'agents'), environment: context.env });
  try {
    return await open(context.signal, async (opened) => {
      if (!(await opened.update()))
        output.warn("The vault's remote gave no answer: this is what was known last.");
      return opened.catalogue();
    });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new ClientError('unreachable', `${error.type}: ${error.message}`, error);
  }
}

function select(notes: readonly CataloguedNote[], { metric, repo, status }: TableOptions): CataloguedNote[] {
  const chosen = notes
    .filter(({ isExperiment }) => isExperiment)
    .filter((note) => metric === undefined || note.metric === metric)
    .filter((note) => repo === undefined || note.repository === repo)
    .filter((note) => status === undefined || note.status === status)
    .toSorted((a, b) => (a.path < b.path ? 1 : -1));
  if (metric === undefined) return chosen;
  // Which way is better is told by what came out: the goal itself stands in no note.
  const lowerIsBetter = chosen.some(
    ({ verdict, delta }) => (verdict === 'better') === (delta ?? 0) < 0 && /^(?:better|worse)$/.test(verdict),
  );
  const key = ({ value }: CataloguedNote): number =>
    value === null ? Infinity : lowerIsBetter ? value : -value;
  return chosen.toSorted((a, b) => key(a) - key(b));
}

const heading = [
  'date',
  'experiment',
  'outcome',
  'verdict',
  'metric',
  'value',
  'baseline',
  'delta',
  'GPU h',
  'title',
];

function rowOf(note: CataloguedNote): string[] {
  return [
    note.date.slice(0, 10),
    clean(note.id),
    clean(note.status),
    clean(note.verdict),
    clean(note.metric),
    cell(note.value),
    cell(note.baselineValue),
    cell(note.delta),
    note.gpuHours === null ? '-' : round(note.gpuHours),
    clean(note.title),
  ];
}

function describe(note: CataloguedNote): string[] {
  const { title, path, status, verdict, metric, value, baselineValue, gpuHours, claim } = note;
  const result = value === null ? '' : `, ${metric} ${cell(value)} against ${cell(baselineValue)}`;
  const cost = gpuHours === null ? '' : `, ${round(gpuHours)} GPU hours`;
  return [
    clean(title),
    `  ${path}${status === '' ? '' : `: ${clean(status)}, ${clean(verdict)}${clean(result)}${cost}`}`,
    ...(claim === '' ? [] : [`  ${clean(claim).slice(0, 200)}`]),
  ];
}

function cell(value: number | null): string {
  return value === null ? '-' : String(Number(value.toPrecision(5)));
}
