import { chmod, lstat, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { Failure } from '../../infra/failure.ts';
import { detectIsolation, type Isolation } from '../../infra/isolation/isolation.ts';
import type { SharedDiskSettings } from '../../infra/settings.ts';
import { runUv } from '../../infra/uv/run-uv.ts';

import { build } from './build.ts';
import { holdLock } from './hold-lock.ts';
import type { FreezeInput, FrozenEnvironment } from './interface.ts';
import { readProof, writeProof, type Proof } from './proof.ts';
import { readRecipe, type Recipe } from './recipe.ts';
import { rehearse } from './rehearse.ts';
import { relocate } from './relocate.ts';
import { scan } from './scan.ts';
import { linkVenv, refuseCommittedVenv } from './worktree.ts';
import { unlessMissing } from '../../infra/unless-missing.ts';

export interface EnvironmentDependencies {
  readonly disk: SharedDiskSettings;
  /** Absolute path of uv. */
  readonly uv: string;
  /** Allowed part of the environment for uv, git and Python. */
  readonly environment: Readonly<Record<string, string>>;
  /** How a process is kept from the network in the rehearsal; the strongest way that works here when not given. */
  readonly isolation?: Isolation;
  /** Wall time after which a command that is rehearsed is told to end; two minutes when not given. */
  readonly rehearsalSeconds?: number;
}

interface Freeze extends EnvironmentDependencies {
  readonly isolation: Isolation;
  readonly recipe: Recipe;
  /** `<shared>/environments/<digest>`. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/**
 * Builds or finds the environment of an experiment, proves it, and links it as `.venv` into the worktree. Everything
 * may be repeated at any point: an environment counts only once its proof is written, and that is the last step.
 */
export async function freeze(
  dependencies: EnvironmentDependencies,
  input: FreezeInput,
  signal: AbortSignal,
): Promise<FrozenEnvironment> {
  const { disk, environment } = dependencies;
  const source = join(disk.sharedDir, 'experiments', input.experimentId, 'source');
  const recipe = await readRecipe(input.environment, { ...dependencies, source });
  await refuseCommittedVenv(source, environment);
  const folder = join(disk.sharedDir, 'environments', recipe.digest);
  const standing = await readProof(folder);
  const proof = standing ?? (await make(dependencies, recipe, folder, signal));
  await linkVenv(source, join(folder, 'venv'), environment);
  return {
    digest: recipe.digest,
    reused: standing !== undefined,
    packages: proof.packages.length,
    bytes: proof.bytes,
    missingGuarantees: proof.rehearsal.missingGuarantees,
  };
}

async function make(
  dependencies: EnvironmentDependencies,
  recipe: Recipe,
  folder: string,
  signal: AbortSignal,
): Promise<Proof> {
  const isolation = dependencies.isolation ?? (await detectIsolation());
  await mkdir(dirname(folder), { recursive: true });
  return holdLock(folder, signal, async (held) => {
    // Another builder may have finished while this one waited.
    const standing = await readProof(folder);
    if (standing !== undefined) return standing;
    return makeAlone({ ...dependencies, isolation, recipe, folder, signal: held });
  });
}

async function makeAlone(freezing: Freeze): Promise<Proof> {
  const { folder, recipe, signal } = freezing;
  const clock = new Stopwatch();
  await removeUnproven(folder);
  const fresh = await mkdtemp(`${folder}.`);
  try {
    await build({ uv: freezing, recipe, folder: fresh, signal });
    clock.lap('build');
    await chmod(fresh, 0o755);
    await relocate(fresh, pathInJob(freezing));
    signal.throwIfAborted();
    await rename(fresh, folder);
  } catch (error) {
    await remove(fresh);
    throw error;
  }
  clock.lap('relocate');
  return prove(freezing, clock);
}

async function prove(freezing: Freeze, clock: Stopwatch): Promise<Proof> {
  const { folder, recipe, signal } = freezing;
  const path = pathInJob(freezing);
  const interpreterPrefix = recipe.interpreter?.prefix ?? null;
  const before = await scan({ folder, path, interpreterPrefix });
  clock.lap('scan');
  const rehearsal = await rehearse({
    folder,
    path,
    interpreterPrefix,
    isolation: freezing.isolation,
    hide: hiddenFolders(freezing),
    searchPath: freezing.environment['PATH'] ?? '/usr/bin:/bin',
    signal,
  });
  clock.lap('rehearsal');
  const findings = [...before.findings, ...rehearsal.findings];
  if (findings.length > 0) {
    await removeUnproven(folder);
    throw new Failure(
      'EnvironmentNotPortable',
      `The environment would not run in the job:\n${findings
        .slice(0, 50)
        .map((line) => `- ${line}`)
        .join('\n')}`,
    );
  }
  await protect(folder);
  const after = await scan({ folder, path, interpreterPrefix });
  clock.lap('protect');
  signal.throwIfAborted();
  const proof: Proof = {
    schema: 'hephaestus/environment/v1',
    digest: recipe.digest,
    ingredients: { ...recipe.ingredients },
    python: {
      version: rehearsal.version,
      executable: rehearsal.executable,
      managed: recipe.interpreter === null,
    },
    uv: await uvVersion(freezing),
    packages: rehearsal.packages,
    files: after.files,
    bytes: after.bytes,
    path,
    rehearsal: {
      isolation: freezing.isolation,
      imported: rehearsal.imported,
      missingGuarantees: [...rehearsal.missingGuarantees],
    },
    times: clock.times,
    createdAt: new Date().toISOString(),
  };
  await writeProof(folder, proof);
  await chmod(folder, 0o555);
  return proof;
}

/** The environment's folder as the job sees it. */
function pathInJob({ disk, folder }: Freeze): string {
  return join(disk.jobSharedDir, 'environments', basename(folder));
}

function hiddenFolders({ disk, environment }: Freeze): readonly string[] {
  const home = environment['HOME'];
  return [join(disk.sharedDir, 'experiments'), ...(home === undefined || home === '/' ? [] : [home])];
}

async function uvVersion({ uv, environment, folder, signal }: Freeze): Promise<string> {
  const { stdout } = await runUv({ uv, environment }, { args: ['--version'], cwd: folder, signal });
  return stdout.trim();
}

/** Whatever stands at the final path without a proof, and every folder that an earlier builder left. */
async function removeUnproven(folder: string): Promise<void> {
  const names = await readdir(dirname(folder));
  const leftovers = names.filter(
    (name) => name.startsWith(`${basename(folder)}.`) && !name.endsWith('.lock'),
  );
  await Promise.all([folder, ...leftovers.map((name) => join(dirname(folder), name))].map(remove));
}

/** Read-only folders are opened first, because nothing can be removed from them otherwise. */
async function remove(path: string): Promise<void> {
  const entry = await unlessMissing(lstat(path));
  if (entry === undefined) return;
  if (entry.isDirectory()) await eachFolder(path, (folder) => chmod(folder, 0o755));
  await rm(path, { recursive: true, force: true, maxRetries: 3 });
}

/** Nobody, the job included, may change what was proven. */
async function protect(folder: string): Promise<void> {
  await eachFolder(folder, async (directory) => {
    const entries = await readdir(directory, { withFileTypes: true });
    await Promise.all(
      entries
        .filter((entry) => entry.isFile())
        .map(async (entry) => {
          const file = join(directory, entry.name);
          const { mode } = await lstat(file);
          await chmod(file, (mode & 0o111) === 0 ? 0o444 : 0o555);
        }),
    );
    // The top folder stays open until the proof is in it.
    if (directory !== folder) await chmod(directory, 0o555);
  });
}

async function eachFolder(folder: string, visit: (folder: string) => Promise<void>): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries) if (entry.isDirectory()) await eachFolder(join(folder, entry.name), visit);
  await visit(folder);
}

class Stopwatch {
  readonly times: Record<string, number> = {};
  #last = performance.now();

  lap(name: string): void {
    const now = performance.now();
    this.times[name] = Math.round(now - this.#last);
    this.#last = now;
  }
}
