import { mkdtemp, rename, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { whenUnlocked } from './hold-lock.ts';
import { environmentUsers, type ListedEnvironment } from './list-environments.ts';
import { removeEnvironment } from './remove-environment.ts';

/** What would be removed, and what stays and why. */
export interface PrunePlan {
  readonly remove: readonly ListedEnvironment[];
  readonly keep: readonly { readonly environment: ListedEnvironment; readonly why: string }[];
  /** Bytes that the files to be removed take. */
  readonly frees: number;
}

/**
 * Chooses what may go: of all, or of the named ones, what no experiment names, whole or half-built. One that an
 * experiment names, running or long ended, goes only when it is named itself and `force` is given; one that is being
 * built never does.
 */
export function planPrune(
  listed: readonly ListedEnvironment[],
  options: { readonly names?: ReadonlySet<string>; readonly force?: boolean } = {},
): PrunePlan {
  const candidates = listed.filter(({ name }) => options.names?.has(name) ?? true);
  const mayForce = options.force === true && options.names !== undefined;
  const remove: ListedEnvironment[] = [];
  const keep: PrunePlan['keep'][number][] = [];
  for (const environment of candidates) {
    const why = mayForce && environment.status !== 'building' ? null : reasonToKeep(environment);
    if (why === null) remove.push(environment);
    else keep.push({ environment, why });
  }
  return { remove, keep, frees: remove.reduce((sum, { bytes }) => sum + bytes, 0) };
}

function reasonToKeep({ status, usedBy }: ListedEnvironment): string | null {
  if (status === 'building') return 'it is being built';
  const experiments = [...new Set(usedBy.map(({ experiment }) => experiment))].toSorted();
  return experiments.length === 0 ? null : `named by ${experiments.join(', ')}`;
}

export interface Pruned {
  readonly removed: readonly ListedEnvironment[];
  /** Those that somebody took into use, or began to build, after the plan was made. */
  readonly spared: readonly ListedEnvironment[];
  readonly freed: number;
}

/**
 * Removes what the plan says, each after one more look, so that one that an experiment has taken since is spared. `told`
 * hears of each before it goes.
 */
export async function prune(
  sharedDir: string,
  plan: PrunePlan,
  options: { readonly force?: boolean; readonly told?: (environment: ListedEnvironment) => void } = {},
): Promise<Pruned> {
  const removed: ListedEnvironment[] = [];
  const spared: ListedEnvironment[] = [];
  for (const environment of plan.remove) {
    options.told?.(environment);
    const gone = await removeOne(sharedDir, environment, options.force === true);
    (gone ? removed : spared).push(environment);
  }
  return { removed, spared, freed: removed.reduce((sum, { bytes }) => sum + bytes, 0) };
}

async function removeOne(
  sharedDir: string,
  { name, folder }: ListedEnvironment,
  force: boolean,
): Promise<boolean> {
  const digest = name.slice(0, 32);
  const gone = await whenUnlocked(join(dirname(folder), digest), async () => {
    // Out of the way first: from here on nobody finds it whole, and whoever has found it already shows as its user.
    const aside = await mkdtemp(join(dirname(folder), `${digest}.`));
    await rmdir(aside);
    await rename(folder, aside);
    const users = (await environmentUsers(sharedDir)).get(name) ?? [];
    if (users.length > 0 && !force) {
      await rename(aside, folder);
      return false;
    }
    await removeEnvironment(aside);
    return true;
  });
  return gone ?? false;
}
