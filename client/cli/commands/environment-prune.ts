import { createInterface } from 'node:readline/promises';

import {
  listEnvironments,
  type ListedEnvironment,
} from '../../../activities/environment/list-environments.ts';
import { planPrune, prune, type PrunePlan } from '../../../activities/environment/prune-environments.ts';
import { loadDiskConfig } from '../../../infra/config/load-config.ts';
import { UsageError } from '../cli-errors.ts';
import { run, type CliContext, type DataOptions } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { findEnvironment } from '../find-environment.ts';
import { clean, duration, table } from '../format.ts';
import type { Output } from '../output.ts';
import { megabytes } from './environment-show.ts';

export interface PruneOptions extends DataOptions {
  readonly yes?: boolean;
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

/** `environment prune`: exit code 4 when one that was named must stay. */
export async function pruneByHand(
  context: CliContext,
  wanted: readonly string[],
  options: PruneOptions,
): Promise<void> {
  await run(context, options, async (output) => {
    if (options.force === true && wanted.length === 0) {
      throw new UsageError(
        '--force needs to know which: name the environments that shall go though they are in use.',
      );
    }
    const { sharedDir } = loadDiskConfig(context).sharedDisk;
    const plan = await planFor(sharedDir, wanted, options.force === true);
    tellPlan(plan, wanted.length > 0, output);
    const refused = wanted.length > 0 && plan.keep.length > 0;
    const end: ExitCode = refused ? exitCodes.refused : exitCodes.done;
    if (plan.remove.length === 0 || options.dryRun === true) {
      output.answer(document(plan, { removed: [], spared: [], freed: 0 }), []);
      return end;
    }
    if (options.yes !== true && !(await agreed(output, plan))) {
      output.answer(document(plan, { removed: [], spared: [], freed: 0 }), ['Nothing was removed.']);
      return exitCodes.refused;
    }
    const pruned = await prune(sharedDir, plan, {
      force: options.force === true,
      told: ({ name, bytes }) => output.progress(output.colours.dim(`removing ${name}, ${megabytes(bytes)}`)),
    });
    output.answer(document(plan, pruned), [
      `Removed ${pruned.removed.length}, freed ${megabytes(pruned.freed)}.`,
      ...pruned.spared.map(
        ({ name }) => `${name} stays: somebody has taken it into use, or builds it, since.`,
      ),
    ]);
    return end;
  });
}

async function planFor(sharedDir: string, wanted: readonly string[], force: boolean): Promise<PrunePlan> {
  const found = await Promise.all(wanted.map(async (name) => (await findEnvironment(sharedDir, name)).name));
  const listed = await listEnvironments(sharedDir);
  return planPrune(listed, { ...(wanted.length > 0 && { names: new Set(found) }), force });
}

function tellPlan({ remove, keep, frees }: PrunePlan, someNamed: boolean, output: Output): void {
  for (const line of table(remove.map(rowOf))) output.say(line);
  for (const { environment, why } of keep) output.say(`${environment.name} stays: ${clean(why)}`);
  if (remove.length > 0) output.say(`${remove.length} to remove, which frees ${megabytes(frees)}.`);
  else if (!someNamed) output.say('Nothing to remove: every environment is named by an experiment.');
}

function rowOf({ name, status, bytes, createdAt }: ListedEnvironment): string[] {
  return [name, status, megabytes(bytes), duration(Date.now() - new Date(createdAt).getTime())];
}

async function agreed(output: Output, { remove }: PrunePlan): Promise<boolean> {
  if (!process.stdin.isTTY || output.json) {
    throw new UsageError('Nobody can be asked here: add --yes to remove them, or --dry-run to only look.');
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(
      `Remove ${remove.length === 1 ? 'it' : `all ${remove.length}`}? [y/N] `,
    );
    return /^y(?:es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}

function document(plan: PrunePlan, { removed, spared, freed }: Awaited<ReturnType<typeof prune>>): object {
  return {
    planned: names(plan.remove),
    frees: plan.frees,
    kept: plan.keep.map(({ environment, why }) => ({ name: environment.name, why })),
    removed: names(removed),
    spared: names(spared),
    freed,
  };
}

function names(listed: readonly ListedEnvironment[]): string[] {
  return listed.map(({ name }) => name);
}
