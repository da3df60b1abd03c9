import { mkdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';

import { Failure } from '../../infra/failure.ts';
import { runUv, type UvResult, type UvSettings } from '../../infra/uv/run-uv.ts';

import type { Recipe } from './recipe.ts';

export interface BuildOptions {
  readonly uv: UvSettings;
  readonly recipe: Recipe;
  /** Empty; gets `venv/` and, for a managed interpreter, `python/`. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

const fullBytes = 16 * 1024 * 1024;

/**
 * Builds with uv what the recipe says. Bytecode is not compiled here: all of it would be by far the longest step, and
 * the rehearsal writes the part that is imported for next to nothing.
 *
 * Throws `EnvironmentLockMismatch` (the lock does not fit its project), `EnvironmentBuildFailed`, `SharedDiskFull`.
 */
export async function build(options: BuildOptions): Promise<void> {
  const { recipe } = options;
  const python = await installPython(options);
  if (recipe.kind === 'lock') await checkLock(options, python);
  if (recipe.kind === 'lock') {
    // Building a package from source would run its code here, with network, and bind it to this machine's libraries.
    const wheelsOnly = recipe.hasLocalSources ? [] : ['--no-build'];
    await run(options, ['sync', '--frozen', '--no-editable', '--no-dev', ...wheelsOnly, ...python]);
    return;
  }
  await run(options, ['venv', '--no-project', ...python, join(options.folder, 'venv')]);
  const into = ['--python', join(options.folder, 'venv', 'bin', 'python')];
  await run(options, ['pip', 'sync', '--require-hashes', '--no-build', '--strict', ...into, recipe.file]);
}

/** A lock that fits needs no network to be found so: exit code 1 means that it does not. */
async function checkLock(options: BuildOptions, python: readonly string[]): Promise<void> {
  const { recipe } = options;
  // With the interpreter of the environment: this machine may have none of its version.
  const result = await callUv(options, ['lock', '--check', ...python], {
    UV_PYTHON_DOWNLOADS: 'never',
  });
  if (result.exitCode === 0) return;
  const lock = join(recipe.project, recipe.file);
  if (result.exitCode === 1) {
    throw new Failure(
      'EnvironmentLockMismatch',
      `${lock} does not fit its pyproject.toml; run uv lock and commit it. uv says:\n${result.tail}`,
    );
  }
  throw await failed(options, ['lock', '--check'], result);
}

/** The arguments that name the interpreter. */
async function installPython(options: BuildOptions): Promise<readonly string[]> {
  const { recipe, folder } = options;
  if (recipe.interpreter !== null) return ['--python', recipe.interpreter.executable];
  await mkdir(join(folder, 'python'));
  await run(options, ['python', 'install', recipe.python, '--no-bin']);
  return ['--managed-python', '--python', recipe.python];
}

async function run(options: BuildOptions, args: readonly string[]): Promise<void> {
  const result = await callUv(options, args, {});
  if (result.exitCode !== 0) throw await failed(options, args, result);
}

function callUv(
  { uv, recipe, folder, signal }: BuildOptions,
  args: readonly string[],
  settings: Readonly<Record<string, string>>,
): Promise<UvResult> {
  const place = { UV_PROJECT_ENVIRONMENT: join(folder, 'venv'), UV_LINK_MODE: 'copy' };
  const managed =
    recipe.interpreter === null
      ? { UV_PYTHON_INSTALL_DIR: join(folder, 'python') }
      : { UV_PYTHON_DOWNLOADS: 'never' };
  return runUv(uv, { args, cwd: recipe.project, settings: { ...place, ...managed, ...settings }, signal });
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
