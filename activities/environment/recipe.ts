import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';

import type { SharedDiskSettings } from '../../infra/settings.ts';

import { Failure } from '../../infra/failure.ts';
import { inspectInterpreter, type Interpreter } from './interpreter.ts';
import type { FreezeInput } from './interface.ts';
import { git } from './worktree.ts';

/** What an environment is made from; equal recipes are one environment. */
export interface Recipe {
  readonly digest: string;
  readonly kind: 'lock' | 'requirements';
  /** Folder of the lock or requirements file. */
  readonly project: string;
  /** Name of that file. */
  readonly file: string;
  /** The requested version, for example 3.11. */
  readonly python: string;
  /** Null when uv brings its own. */
  readonly interpreter: Interpreter | null;
  /** glibc of the job's image, for example 2.28; null when the note does not say. */
  readonly glibc: string | null;
  /** Driver of the job's nodes; null when the note does not say. */
  readonly cudaDriver: string | null;
  /** Whether code of the repository itself becomes part of the environment. */
  readonly hasLocalSources: boolean;
  /** Everything that the digest was made of. */
  readonly ingredients: Readonly<Record<string, string>>;
}

export interface RecipeOptions {
  readonly disk: SharedDiskSettings;
  readonly uv: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The experiment's worktree. */
  readonly source: string;
}

/** Raised by every change to how an environment is built, so that older ones are not taken for the same. */
const version = '2';

/** Reads what goes into the environment; starts no uv. Throws `Failure` when the note's files or interpreter do not fit. */
export async function readRecipe(input: FreezeInput['environment'], options: RecipeOptions): Promise<Recipe> {
  const kind = input.lock === undefined ? 'requirements' : 'lock';
  const path = await insideSource(options.source, input.lock ?? input.requirements ?? '');
  const text = await readFile(path, 'utf8');
  if (kind === 'requirements') refuseReferences(text, path);
  else if (basename(path) !== 'uv.lock') {
    throw new Failure(
      'EnvironmentLockMismatch',
      `${path}: expected a file named uv.lock; or name a requirements file with hashes as "requirements"`,
    );
  }
  const hasLocalSources = kind === 'lock' && /source = \{ (?:editable|directory|path) =/.test(text);
  const interpreter =
    input.interpreter === 'managed'
      ? null
      : await inspectInterpreter(input.interpreter, input.python, options.environment);
  const ingredients = {
    recipe: version,
    [kind]: sha256(text),
    // The whole file: which of its parts steer the build is uv's knowledge and grows with uv.
    pyproject: kind === 'lock' ? sha256(await readFile(join(dirname(path), 'pyproject.toml'), 'utf8')) : '',
    sources: hasLocalSources
      ? await git(options.source, ['rev-parse', 'HEAD^{tree}'], options.environment)
      : '',
    python: interpreter?.version ?? input.python,
    interpreter: interpreter?.executable ?? 'managed',
    platform: interpreter?.platform ?? `${process.platform}-${process.arch}`,
    glibc: input.glibc ?? '',
    uv: await fileDigest(options.uv),
    // Scripts and the activate script hold the path at which the job sees the environment.
    path: options.disk.jobSharedDir,
  };
  const digest = sha256(JSON.stringify(ingredients)).slice(0, 32);
  const project = dirname(path);
  return {
    digest,
    kind,
    project,
    file: basename(path),
    python: input.python,
    interpreter,
    glibc: input.glibc ?? null,
    cudaDriver: input.cuda_driver ?? null,
    hasLocalSources,
    ingredients,
  };
}

async function insideSource(source: string, path: string): Promise<string> {
  const root = await resolved(source, 'the experiment has no source on the shared disk; prepare it first');
  const file = await resolved(
    join(root, path),
    `the task note names ${path}, which is not in the repository`,
  );
  if (!file.startsWith(root + sep)) {
    throw new Failure(
      'EnvironmentLockMismatch',
      `${path} leads out of the repository, to ${file}; commit the file itself`,
    );
  }
  return file;
}

async function resolved(path: string, problem: string): Promise<string> {
  return realpath(path).catch((error: unknown) => {
    if (errorCode(error) !== 'ENOENT') throw error;
    throw new Failure('EnvironmentLockMismatch', `${path} does not exist: ${problem}`, { cause: error });
  });
}

/** What another file says would not be part of the digest, and what a folder says cannot be frozen. */
function refuseReferences(text: string, path: string): void {
  const line = text
    .split('\n')
    .find((candidate) => /^\s*(?:-r|-c|-e|--requirement|--constraint|--editable)\b/.test(candidate));
  if (line === undefined) return;
  throw new Failure(
    'EnvironmentLockMismatch',
    `${path} refers elsewhere ("${line.trim()}"); expected pinned packages with hashes, all in this one file`,
  );
}

const fileDigests = new Map<string, Promise<string>>();

/** Names the exact uv without starting it. */
async function fileDigest(path: string): Promise<string> {
  const { mtimeMs, size } = await stat(path).catch((error: unknown) => {
    throw new Failure('EnvironmentBuildFailed', `uv was expected at ${path} and cannot be read there`, {
      cause: error,
    });
  });
  const key = `${path}:${mtimeMs}:${size}`;
  const known = fileDigests.get(key);
  if (known !== undefined) return known;
  const hash = createHash('sha256');
  const digest = pipeline(createReadStream(path), hash).then(() => hash.digest('hex'));
  fileDigests.set(key, digest);
  digest.catch(() => fileDigests.delete(key));
  return digest;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
