import { access } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Command } from 'commander';

import { section } from '../../../infra/config/config.ts';
import { loadConfig } from '../../../infra/config/load-config.ts';
import { Failure } from '../../../infra/failure.ts';
import { ensureTools } from '../../../infra/tools/ensure-tools.ts';
import { childEnvironment } from '../../../infra/tools/tool-environment.ts';
import { toolsRoot } from '../../../infra/tools/tools-root.ts';
import type { AgentRun, Round, SyncAgent } from '../../../infra/wandb/sync-agent.ts';
import { ClientError } from '../../client-error.ts';
import { InterruptedError, UsageError } from '../cli-errors.ts';
import { pathFrom, run, withJson, type CliContext, type DataOptions } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { clean, table } from '../format.ts';
import type { Output } from '../output.ts';

interface SyncOptions extends DataOptions {
  readonly watch?: boolean;
  readonly ended?: boolean;
  readonly silentMinutes: string;
}

/** W&B writes to the disk each 15 seconds. */
const roundMs = 10_000;
const msPerMinute = 60_000;

/** `sync`: the sync agent by itself, without Temporal. */
export function addSync(program: Command, context: CliContext): void {
  withJson(program.command('sync'))
    .description('brings offline W&B runs to the server, each whole and once, and proves it by reading back')
    .argument('<dir...>', 'run folders, or folders with such below them')
    .option('--watch', 'go on until interrupted: new rows of living runs, and new runs')
    .option('--ended', 'a run without an end has ended: its process was killed')
    .option('--silent-minutes <minutes>', 'with --watch: a log that stands still for so long has ended', '60')
    .action(async (dirs: readonly string[], options: SyncOptions) => {
      await run(context, options, async (output) => {
        const roots = dirs.map((dir) => pathFrom(context, dir));
        for (const root of roots) await requireThere(root);
        const agent = await openAgent(context, options, roots, output);
        try {
          return options.watch === true
            ? await watch(agent, context, output)
            : conclude(await agent.round(), output);
        } catch (error) {
          throw translate(error, context.signal);
        }
      });
    });
}

async function requireThere(root: string): Promise<void> {
  try {
    await access(root);
  } catch (error) {
    throw new UsageError(
      `${root} cannot be opened (${error instanceof Error ? error.message : String(error)}): expected a W&B run folder or a folder with such below it.`,
    );
  }
}

async function openAgent(
  context: CliContext,
  options: SyncOptions,
  roots: readonly string[],
  output: Output,
): Promise<SyncAgent> {
  const minutes = Number(options.silentMinutes);
  if (!(minutes > 0)) {
    throw new UsageError(`--silent-minutes is "${options.silentMinutes}": expected a number larger than 0.`);
  }
  const config = loadConfig({ env: context.env, zones: [], cwd: context.cwd, wandb: true });
  const tools = await ensureTools({
    root: toolsRoot(context.env),
    which: ['wandb'],
    environment: context.env,
    log: (line) => output.warn(line),
  });
  // Loads what no other command has use for.
  const { createSyncAgent } = await import('../../../infra/wandb/create-sync-agent.ts');
  let seen = 0;
  return createSyncAgent({
    settings: section(config, 'wandb'),
    syncCommand: [tools.wandb, 'sync'],
    environment: childEnvironment(context.env),
    roots,
    home: config.home,
    parallel: section(config, 'sync').parallel,
    silentMs: options.ended === true ? 0 : minutes * msPerMinute,
    signal: context.signal,
    onRun({ name, status }) {
      seen += 1;
      output.progress(output.colours.dim(clean(`${seen} runs seen to; ${name}: ${status}`).slice(0, 100)));
    },
  });
}

async function watch(agent: SyncAgent, context: CliContext, output: Output): Promise<ExitCode> {
  const told = new Map<string, string>();
  for (;;) {
    const { runs, settled } = await agent.round();
    for (const each of runs) {
      const key = each.folders.join(' ');
      const words = `${each.status}: ${each.reason}`;
      if (told.get(key) === words) continue;
      told.set(key, words);
      output.warn(lineOf(each).join('  '));
    }
    output.progress(output.colours.dim(`${runs.length} runs under way, ${settled} on the server`));
    await sleep(roundMs, undefined, { signal: context.signal });
  }
}

function conclude({ runs, settled }: Round, output: Output): ExitCode {
  const open = runs.filter(({ status }) => status !== 'acknowledged');
  const cures = runs.filter(({ cure }) => cure !== '');
  const rows = runs.map(lineOf);
  const already = settled === 0 ? [] : [`${settled} were on the server already.`];
  output.answer({ runs, settled, open: open.length }, [
    ...(rows.length === 0 ? [] : [...table([['run', 'state', 'rows', 'reason'], ...rows]), '']),
    ...(cures.length === 0
      ? []
      : ['What you can do:', ...cures.map((each) => `  ${each.name}: ${clean(each.cure)}`), '']),
    ...already,
    `${runs.length - open.length} of ${runs.length} runs acknowledged by the server.`,
  ]);
  if (open.length === 0) return exitCodes.done;
  return open.every(({ away }) => away) ? exitCodes.unreachable : exitCodes.endedBadly;
}

function lineOf({ name, status, rows, reason }: AgentRun): string[] {
  return [clean(name), status, String(rows), clean(reason)];
}

function translate(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return new InterruptedError();
  if (!(error instanceof Failure)) return error;
  if (error.type === 'WandbUnavailable') return new ClientError('unreachable', error.message, error);
  return error.type === 'WandbUnauthorized' ? new ClientError('refused', error.message, error) : error;
}
