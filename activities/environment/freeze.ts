import { chmod, mkdir, mkdtemp, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { describeFindings, isRefused } from '../../domain/environment-finding.ts';
import { Failure } from '../../infra/failure.ts';
import { detectIsolation, type Isolation } from '../../infra/isolation/isolation.ts';
import type { SharedDiskSettings } from '../../infra/settings.ts';
import { runUv } from '../../infra/uv/run-uv.ts';

import { build, type Build } from './build.ts';
import { examine } from './examine.ts';
import { flushFolder } from './flush-folder.ts';
import { holdLock } from './hold-lock.ts';
import type { FreezeInput, FrozenEnvironment } from './interface.ts';
import { readProof, writeProof, type Proof } from './proof.ts';
import { readRecipe, type Recipe } from './recipe.ts';
import type { Rehearsal } from './rehearse.ts';
import { relocate } from './relocate.ts';
import { removeEnvironment, removeUnproven, sweepStale } from './remove-environment.ts';
import { seal } from './seal.ts';
import { treeDigest } from './tree-digest.ts';
import { linkVenv, refuseCommittedVenv } from './worktree.ts';

export interface EnvironmentDependencies {
  readonly disk: SharedDiskSettings;
  /** Absolute path of uv. */
  readonly uv: string;
  /** Absolute path of a Python with `packaging` and `pyelftools`, which reads locks and binaries. */
  readonly python: string;
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
  const { folder, proof, reused } = await freezeRecipe(dependencies, recipe, signal);
  await linkVenv(source, join(folder, 'venv'), environment);
  return {
    digest: proof.digest,
    reused,
    packages: proof.packages.length,
    bytes: proof.bytes,
    missingGuarantees: proof.rehearsal.missingGuarantees,
  };
}

export interface FrozenProject {
  /** `<shared>/environments/<digest>`. */
  readonly folder: string;
  readonly proof: Proof;
  /** True when it stood there already. */
  readonly reused: boolean;
}

/** Builds or finds the environment of the project in any folder, and proves it; the folder itself stays as it is. */
export async function freezeProject(
  dependencies: EnvironmentDependencies,
  source: string,
  wanted: FreezeInput['environment'],
  signal: AbortSignal,
): Promise<FrozenProject> {
  return freezeRecipe(dependencies, await readRecipe(wanted, { ...dependencies, source }), signal);
}

async function freezeRecipe(
  dependencies: EnvironmentDependencies,
  recipe: Recipe,
  signal: AbortSignal,
): Promise<FrozenProject> {
  const folder = join(dependencies.disk.sharedDir, 'environments', recipe.digest);
  const standing = await readProof(folder);
  const proof = standing ?? (await make(dependencies, recipe, folder, signal));
  return { folder, proof, reused: standing !== undefined };
}

async function make(
  dependencies: EnvironmentDependencies,
  recipe: Recipe,
  folder: string,
  signal: AbortSignal,
): Promise<Proof> {
  const isolation = dependencies.isolation ?? (await detectIsolation());
  await mkdir(dirname(folder), { recursive: true });
  await sweepStale(dirname(folder));
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
    const built = await build({ uv: freezing, python: freezing.python, recipe, folder: fresh, signal });
    clock.lap('build');
    await chmod(fresh, 0o755);
    await relocate(fresh, pathInJob(freezing));
    signal.throwIfAborted();
    await rename(fresh, folder);
    clock.lap('relocate');
    return await prove(freezing, built, clock);
  } catch (error) {
    await removeEnvironment(fresh);
    // After a lost lock the final path is somebody else's; what is left there counts for nothing and is swept.
    if (!signal.aborted) await removeUnproven(folder);
    throw error;
  }
}

async function prove(freezing: Freeze, built: Build, clock: Stopwatch): Promise<Proof> {
  const { folder, recipe, signal, isolation, python } = freezing;
  const path = pathInJob(freezing);
  const searchPath = freezing.environment['PATH'] ?? '/usr/bin:/bin';
  const { scan, rehearsal, findings } = await examine({
    folder,
    path,
    interpreterPrefix: recipe.interpreter?.prefix ?? null,
    python,
    glibc: recipe.glibc,
    isolation,
    hide: hiddenFolders(freezing),
    searchPath,
    signal,
  });
  clock.lap('examine');
  const refused = findings.filter(isRefused);
  if (refused.length > 0 || rehearsal === undefined) {
    throw new Failure(
      'EnvironmentNotPortable',
      `The environment would not run in the job:\n${describeFindings(refused)}`,
    );
  }
  await seal(folder);
  clock.lap('seal');
  const tree = await treeDigest(folder);
  clock.lap('digest');
  // A proof that outlives a power loss without its files would be believed: nobody reads them again.
  await flushFolder(folder, searchPath, signal);
  clock.lap('flush');
  signal.throwIfAborted();
  const proof: Proof = {
    schema: 'hephaestus/environment/v2',
    digest: recipe.digest,
    ingredients: { ...recipe.ingredients },
    python: {
      version: rehearsal.version,
      executable: rehearsal.executable,
      managed: recipe.interpreter === null,
    },
    uv: await uvVersion(freezing),
    packages: withHashes(rehearsal.packages, built),
    files: tree.files,
    bytes: tree.bytes,
    treeDigest: tree.digest,
    path,
    scan: {
      ...scan.binaries,
      files: scan.files,
      missingLibraries: [...scan.binaries.missingLibraries],
      harmlessSearchPaths: [...scan.binaries.harmlessSearchPaths],
    },
    told: [...built.told, ...findings],
    rehearsal: {
      isolation,
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

/** What is installed, with what the lock says of it; names are compared as package indexes do. */
function withHashes(installed: Rehearsal['packages'], { packages }: Build): Proof['packages'] {
  const hashes = new Map(packages.map((one) => [one.name, one.hashes]));
  return installed.map(({ name, version }) => ({
    name,
    version,
    hashes: hashes.get(name.toLowerCase().replaceAll(/[-_.]+/g, '-')) ?? [],
  }));
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

class Stopwatch {
  readonly times: Record<string, number> = {};
  #last = performance.now();

  lap(name: string): void {
    const now = performance.now();
    this.times[name] = Math.round(now - this.#last);
    this.#last = now;
  }
}
