import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { z } from 'zod';

import { unlessMissing } from '../../infra/unless-missing.ts';
import { isHeld } from './hold-lock.ts';
import { readProof, type Proof } from './proof.ts';
import { eachOf, walkTree } from './walk-tree.ts';

/** An experiment that names an environment: by the link in its worktree, or by an attempt that it wrote down. */
export interface EnvironmentUser {
  readonly experiment: string;
  readonly by: 'worktree' | 'attempt';
}

export interface ListedEnvironment {
  /** The folder's name: the digest, or that of a folder in which one was being built. */
  readonly name: string;
  readonly folder: string;
  /** `building`: somebody is at it now. `unproven`: left half-built, or its proof cannot be read; no job may use it. */
  readonly status: 'proven' | 'building' | 'unproven';
  /** Of the files, whoever else links to them. */
  readonly bytes: number;
  /** UTC, ISO 8601: of the proof, else when the folder was changed last. */
  readonly createdAt: string;
  readonly python: string | null;
  readonly packages: number | null;
  readonly usedBy: readonly EnvironmentUser[];
}

const digestPattern = /^([0-9a-f]{32})(?:\.[A-Za-z0-9]{6})?$/;
const foldersAtOnce = 8;
const AttemptRecord = z.object({ environmentDigest: z.string() });

/** Every environment on the shared disk, whole or not, the newest first. */
export async function listEnvironments(sharedDir: string): Promise<readonly ListedEnvironment[]> {
  const environments = join(sharedDir, 'environments');
  const names = (await entriesOf(environments)).filter((name) => digestPattern.test(name));
  const users = await environmentUsers(sharedDir);
  const listed: ListedEnvironment[] = [];
  await eachOf(names, foldersAtOnce, async (name) => {
    const one = await look(join(environments, name), users.get(name) ?? []);
    if (one !== undefined) listed.push(one);
  });
  return listed.toSorted((one, other) => other.createdAt.localeCompare(one.createdAt));
}

/** Undefined for what is no folder, or was removed meanwhile. */
async function look(
  folder: string,
  usedBy: readonly EnvironmentUser[],
): Promise<ListedEnvironment | undefined> {
  const stats = await unlessMissing(lstat(folder));
  if (stats?.isDirectory() !== true) return undefined;
  const name = basename(folder);
  const proof = await readProof(folder);
  const base = { name, folder, usedBy };
  if (proof?.digest === name) return { ...base, ...proven(proof) };
  const held = await isHeld(join(dirname(folder), digestPattern.exec(name)?.[1] ?? name));
  return {
    ...base,
    status: held ? 'building' : 'unproven',
    bytes: await bytesOf(folder),
    createdAt: stats.mtime.toISOString(),
    python: null,
    packages: null,
  };
}

function proven({
  bytes,
  createdAt,
  python,
  packages,
}: Proof): Omit<ListedEnvironment, 'name' | 'folder' | 'usedBy'> {
  return { status: 'proven', bytes, createdAt, python: python.version, packages: packages.length };
}

/** A builder may remove or rename the folder while it is looked at. */
async function bytesOf(folder: string): Promise<number> {
  const entries = (await unlessMissing(walkTree(folder))) ?? [];
  return entries.reduce((sum, { stats }) => sum + (stats.isFile() ? stats.size : 0), 0);
}

/** Who names which environment, by its digest; an experiment once for each way. */
export async function environmentUsers(
  sharedDir: string,
): Promise<ReadonlyMap<string, readonly EnvironmentUser[]>> {
  const experiments = join(sharedDir, 'experiments');
  const users = new Map<string, EnvironmentUser[]>();
  await eachOf(await entriesOf(experiments), foldersAtOnce, async (experiment) => {
    const folder = join(experiments, experiment);
    const named = new Map<string, EnvironmentUser>();
    const link = await readLink(join(folder, 'source', '.venv'));
    if (link !== undefined) named.set(`worktree ${link}`, { experiment, by: 'worktree' });
    for (const digest of await attemptDigests(join(folder, 'attempts'))) {
      named.set(`attempt ${digest}`, { experiment, by: 'attempt' });
    }
    for (const [key, user] of named) {
      const digest = key.split(' ')[1] ?? '';
      users.set(digest, [...(users.get(digest) ?? []), user]);
    }
  });
  return users;
}

/** The digest in `…/environments/<digest>/venv`; undefined for anything else that stands there. */
async function readLink(path: string): Promise<string | undefined> {
  try {
    return basename(dirname(await readlink(path)));
  } catch (error) {
    if (
      error instanceof Error &&
      'code' in error &&
      ['ENOENT', 'ENOTDIR', 'EINVAL'].includes(String(error.code))
    )
      return undefined;
    throw error;
  }
}

async function attemptDigests(attempts: string): Promise<ReadonlySet<string>> {
  const digests = new Set<string>();
  for (const number of await entriesOf(attempts)) {
    for (const seed of await entriesOf(join(attempts, number))) {
      const digest = await readAttempt(join(attempts, number, seed, 'attempt.json'));
      if (digest !== undefined) digests.add(digest);
    }
  }
  return digests;
}

async function readAttempt(path: string): Promise<string | undefined> {
  const text = await unlessMissing(readFile(path, 'utf8'));
  if (text === undefined) return undefined;
  try {
    return AttemptRecord.safeParse(JSON.parse(text)).data?.environmentDigest;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function entriesOf(folder: string): Promise<readonly string[]> {
  return (await unlessMissing(readdir(folder))) ?? [];
}
