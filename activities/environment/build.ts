import { mkdir, readFile, statfs } from 'node:fs/promises';
import { machine } from 'node:os';
import { join } from 'node:path';

import {
  describeFindings,
  environmentFinding,
  isRefused,
  type EnvironmentFinding,
} from '../../domain/environment-finding.ts';
import { Failure } from '../../infra/failure.ts';
import { runUv, type UvResult, type UvSettings } from '../../infra/uv/run-uv.ts';

import { both } from './both.ts';
import { checkCompatibility } from './compatibility.ts';
import { readLock, type LockContent, type LockedPackage } from './read-lock.ts';
import type { Recipe } from './recipe.ts';

export interface BuildOptions {
  readonly uv: UvSettings;
  /** A Python with `packaging`. */
  readonly python: string;
  readonly recipe: Recipe;
  /** Empty; gets `venv/` and, for a managed interpreter, `python/`. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

export interface Build {
  /** What was installed, with the hashes that the lock has for it. */
  readonly packages: readonly LockedPackage[];
  /** Findings that refuse nothing. */
  readonly told: readonly EnvironmentFinding[];
}

const fullBytes = 16 * 1024 * 1024;

/**
 * Builds with uv what the recipe says, once it is known that it can fit. Bytecode is not compiled here: all of it would
 * be by far the longest step, and the rehearsal writes the part that is imported for next to nothing.
 *
 * Throws `EnvironmentLockMismatch` (the lock does not fit its project), `EnvironmentNotPortable` (it cannot fit the
 * platform, or its packages do not fit each other), `EnvironmentBuildFailed`, `SharedDiskFull`.
 */
export async function build(options: BuildOptions): Promise<Build> {
  const { recipe } = options;
  const [{ lock, warnings: ofFile }, mismatch] = await both(
    lockContent(options),
    recipe.kind === 'lock' && recipe.interpreter !== null
      ? lockMismatch(options, pythonOf(recipe))
      : Promise.resolve(undefined),
  );
  const before = checkCompatibility(recipe, lock);
  // uv cannot tell whether a lock fits for a Python that the project excludes.
  if (mismatch !== undefined && lock.python_fits) throw mismatch;
  refuse(before);
  const python = await installPython(options);
  // uv wants an interpreter to look with, and this machine may have had none of the version before.
  const late = recipe.kind === 'lock' && !recipe.interpreter && (await lockMismatch(options, python));
  if (late) throw late;
  const [, warnings] = await both(
    install(options, python),
    recipe.kind === 'lock' ? indexWarnings(options, lock) : Promise.resolve(ofFile),
  );
  const after = [...warnings, ...(await checkTogether(options))];
  refuse(after);
  return { packages: lock.packages, told: [...before, ...after] };
}

function refuse(findings: readonly EnvironmentFinding[]): void {
  const refused = findings.filter(isRefused);
  if (refused.length === 0) return;
  throw new Failure(
    'EnvironmentNotPortable',
    `The environment cannot be built for the job:\n${describeFindings(refused)}`,
  );
}

/** The packages for the platform, from the one standard form that uv writes of both kinds of file. */
async function lockContent(
  options: BuildOptions,
): Promise<{ readonly lock: LockContent; readonly warnings: readonly EnvironmentFinding[] }> {
  const { recipe } = options;
  const form = ['--format', 'pylock.toml'];
  const args =
    recipe.kind === 'lock'
      ? ['export', '--frozen', '--no-dev', '--no-emit-project', ...form]
      : [
          'pip',
          'compile',
          '--no-deps',
          '--no-build',
          '--no-header',
          ...pythonOf(recipe),
          ...form,
          recipe.file,
        ];
  const result = await run(options, args, { UV_PYTHON_DOWNLOADS: 'never' });
  const platform = { python: fullVersion(recipe), machine: machine(), glibc: recipe.glibc };
  return {
    lock: await readLock(result.stdout, platform, options.python),
    warnings: toldBy(result, recipe),
  };
}

/** Of a managed Python that is named by two parts uv takes the newest, so no lower bound on the third can exclude it. */
function fullVersion({ interpreter, python }: Recipe): string {
  return interpreter?.version ?? (python.split('.').length > 2 ? python : `${python}.99`);
}

/** The version for which uv resolves; an interpreter that uv will bring does not stand there yet. */
function pythonOf({ interpreter, python }: Recipe): readonly string[] {
  return interpreter === null ? ['--python-version', python] : ['--python', interpreter.executable];
}

/** A lock that fits needs no network to be found so: exit code 1 means that it does not. */
async function lockMismatch(options: BuildOptions, python: readonly string[]): Promise<Failure | undefined> {
  const { recipe } = options;
  const result = await callUv(options, ['lock', '--check', ...python], {
    UV_PYTHON_DOWNLOADS: 'never',
  });
  if (result.exitCode === 0) return undefined;
  const lock = join(recipe.project, recipe.file);
  if (result.exitCode === 1) {
    return new Failure(
      'EnvironmentLockMismatch',
      `${lock} does not fit its pyproject.toml; run uv lock and commit it. uv says:\n${result.tail}`,
    );
  }
  return failed(options, ['lock', '--check'], result);
}

/** The arguments that name the interpreter. */
async function installPython(options: BuildOptions): Promise<readonly string[]> {
  const { recipe, folder } = options;
  if (recipe.interpreter !== null) return ['--python', recipe.interpreter.executable];
  await mkdir(join(folder, 'python'));
  await run(options, ['python', 'install', recipe.python, '--no-bin']);
  return ['--managed-python', '--python', recipe.python];
}

async function install(options: BuildOptions, python: readonly string[]): Promise<void> {
  const { recipe, folder } = options;
  const platform =
    recipe.glibc === null
      ? []
      : ['--python-platform', `${machine()}-manylinux_${recipe.glibc.replace('.', '_')}`];
  if (recipe.kind === 'lock') {
    // Building a package from source would run its code here, with network, and bind it to this machine's libraries.
    const wheelsOnly = recipe.hasLocalSources ? [] : ['--no-build'];
    await run(options, [
      'sync',
      '--frozen',
      '--no-editable',
      '--no-dev',
      ...wheelsOnly,
      ...platform,
      ...python,
    ]);
    return;
  }
  await run(options, ['venv', '--no-project', ...python, join(folder, 'venv')]);
  const strict = ['--require-hashes', '--no-build', '--strict', ...platform];
  await run(options, ['pip', 'sync', ...strict, ...venvPython(options), recipe.file]);
}

/**
 * What the index says today about the locked versions: a lock does not know that one was yanked later. Told only, since
 * the lock is still what was asked for, and an index that cannot answer must not keep an experiment from its job.
 */
async function indexWarnings(
  options: BuildOptions,
  lock: LockContent,
): Promise<readonly EnvironmentFinding[]> {
  const pins = lock.packages.filter(({ local, version }) => !local && version !== null);
  if (pins.length === 0) return [];
  const input = pins.map(({ name, version }) => `${name}==${version ?? ''}`).join('\n');
  const args = ['pip', 'compile', '--no-deps', '--no-build', '--no-header', ...pythonOf(options.recipe), '-'];
  const result = await callUv(options, args, { UV_PYTHON_DOWNLOADS: 'never' }, `${input}\n`);
  if (result.exitCode !== 0) {
    const sentence = `Whether versions were yanked is not known, the index did not answer for all: ${result.tail}`;
    return [environmentFinding('index-warning', options.recipe.file, sentence)];
  }
  return toldBy(result, options.recipe);
}

function toldBy({ warnings }: UvResult, { file }: Recipe): readonly EnvironmentFinding[] {
  return warnings.map((line) => environmentFinding('index-warning', file, `uv warns: ${line}.`));
}

async function checkTogether(options: BuildOptions): Promise<readonly EnvironmentFinding[]> {
  const { recipe } = options;
  const result = await callUv(options, ['pip', 'check', ...venvPython(options)], {});
  if (result.exitCode === 0) return [];
  const overridden =
    recipe.kind === 'lock' &&
    /^override-dependencies\s*=/m.test(await readFile(join(recipe.project, 'pyproject.toml'), 'utf8'));
  const code = overridden ? 'overridden-dependencies' : 'incompatible-packages';
  return [
    environmentFinding(code, recipe.file, `The packages do not fit each other. uv says:\n${result.tail}\n`),
  ];
}

function venvPython({ folder }: BuildOptions): readonly string[] {
  return ['--python', join(folder, 'venv', 'bin', 'python')];
}

async function run(
  options: BuildOptions,
  args: readonly string[],
  settings: Readonly<Record<string, string>> = {},
): Promise<UvResult> {
  const result = await callUv(options, args, settings);
  if (result.exitCode !== 0) throw await failed(options, args, result);
  return result;
}

function callUv(
  { uv, recipe, folder, signal }: BuildOptions,
  args: readonly string[],
  settings: Readonly<Record<string, string>>,
  input?: string,
): Promise<UvResult> {
  const place = { UV_PROJECT_ENVIRONMENT: join(folder, 'venv'), UV_LINK_MODE: 'copy' };
  const managed =
    recipe.interpreter === null
      ? { UV_PYTHON_INSTALL_DIR: join(folder, 'python') }
      : { UV_PYTHON_DOWNLOADS: 'never' };
  return runUv(uv, {
    args,
    cwd: recipe.project,
    settings: { ...place, ...managed, ...settings },
    signal,
    ...(input === undefined ? {} : { input }),
  });
}

async function failed(options: BuildOptions, args: readonly string[], result: UvResult): Promise<Failure> {
  const { bavail, bsize } = await statfs(options.folder);
  if (bavail * bsize < fullBytes) {
    return new Failure(
      'SharedDiskFull',
      `The disk of ${options.folder} has ${bavail * bsize} bytes left; uv needs more. Make room.`,
    );
  }
  return new Failure(
    'EnvironmentBuildFailed',
    `uv ${args.slice(0, 2).join(' ')} failed with exit code ${result.exitCode} for ${join(options.recipe.project, options.recipe.file)}. uv says:\n${result.tail}`,
  );
}
