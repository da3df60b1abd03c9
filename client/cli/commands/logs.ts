import { existsSync } from 'node:fs';

import type { Command } from 'commander';

import { loadConfig, loadDiskConfig } from '../../../infra/config/load-config.ts';
import { pause } from '../../../infra/pause.ts';
import { findLogs, type ExperimentLogs, type SeedLog } from '../../logs/find-logs.ts';
import { readOn, readTail } from '../../logs/read-log.ts';
import { InterruptedError, UsageError } from '../cli-errors.ts';
import { run, withJson, type CliContext, type DataOptions } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Output } from '../output.ts';

interface LogsOptions extends DataOptions {
  readonly attempt?: string;
  readonly seed?: string;
  readonly lines: string;
  readonly follow?: boolean;
}

interface ReadLog extends SeedLog {
  readonly lines: readonly string[];
  readonly offset: number;
}

const lookEveryMs = 500;

/** `logs <id>`: what the newest jobs of an experiment printed, from the shared disk, and where the transcripts are. */
export function addLogs(program: Command, context: CliContext): void {
  withJson(program.command('logs <id>'))
    .description('what the jobs of an experiment printed, from the shared disk')
    .option('--attempt <number>', 'an earlier attempt than the newest')
    .option('--seed <number>', 'of this seed alone')
    .option('--lines <number>', 'at most so many of the end', '40')
    .option('-f, --follow', 'goes on until the jobs have ended')
    .action(async (id: string, options: LogsOptions) => {
      await run(context, options, async (output) => {
        const { env, cwd } = context;
        const { sharedDisk } = loadDiskConfig({ env, cwd });
        const { home } = loadConfig({ env, cwd, zones: [] });
        if (options.follow === true && output.json)
          throw new UsageError('--follow and --json exclude each other.');
        const logs = await findLogs({
          sharedDir: sharedDisk.sharedDir,
          home,
          id: readId(id),
          attempt: readNumber('--attempt', options.attempt),
          seed: readNumber('--seed', options.seed),
        });
        const count = readNumber('--lines', options.lines) ?? 0;
        const read = await Promise.all(
          logs.seeds.map(async (each) => ({ ...each, ...(await readTail(each.path, count)) })),
        );
        const seeds = read.map(({ seed, path, lines }) => ({ seed, path, lines }));
        output.answer({ ...logs, seeds }, present(logs, read, output));
        if (options.follow === true) await follow(read, output, context.signal);
        return exitCodes.done;
      });
    });
}

function present(
  { attempt, transcripts }: ExperimentLogs,
  read: readonly ReadLog[],
  { colours }: Output,
): string[] {
  const none = attempt === null ? ['No job was prepared yet.'] : [];
  return [
    ...(transcripts.length === 0
      ? []
      : [colours.bold('Transcripts of the agents'), ...transcripts.map((path) => `  ${path}`), '']),
    ...none,
    ...read.flatMap(({ seed, path, lines }) => [
      colours.bold(`Attempt ${attempt ?? ''}, seed ${seed}  ${path}`),
      ...(lines.length === 0 ? [colours.dim('  nothing was printed yet')] : lines),
    ]),
  ];
}

/** Tells new lines of every seed until all have ended. */
async function follow(read: readonly ReadLog[], output: Output, signal: AbortSignal): Promise<void> {
  const several = read.length > 1;
  const offsets = new Map(read.map(({ path, offset }) => [path, offset]));
  for (;;) {
    if (signal.aborted) throw new InterruptedError();
    // Looked for first: what is printed before the record is there is read below.
    const ended = read.every(({ exitFile }) => existsSync(exitFile));
    for (const { seed, path } of read) {
      const { lines, offset } = await readOn(path, offsets.get(path) ?? 0, !ended);
      offsets.set(path, offset);
      for (const line of lines) output.say(several ? `seed ${seed}  ${line}` : line);
    }
    if (ended) return;
    await pause(lookEveryMs, signal);
  }
}

function readId(id: string): string {
  if (/^[a-z0-9][a-z0-9-]*$/.test(id)) return id;
  throw new UsageError(`${JSON.stringify(id)} is no experiment id: expected [a-z0-9-]{3,50}.`);
}

function readNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError(`${name} is ${JSON.stringify(text)}: expected a whole number, 0 or larger.`);
}
