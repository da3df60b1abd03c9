import { access, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { branchName } from '../../domain/ids.ts';
import { placeMarker } from '../../infra/agents/agent-process.ts';
import { killLeftOvers } from '../../infra/agents/left-overs.ts';
import { fetchMirror, remoteBranch, withMirror } from '../../infra/git/mirror.ts';
import { git } from '../../infra/git/run-git.ts';
import { type CodingDeps, experimentDir, gitCall, mirrorOptions, sourceDir } from './coding-deps.ts';
import type { PreparedSource, PrepareSourceInput } from './interface.ts';
import { readSourceRecord, type SourceRecord, writeSourceRecord } from './source-record.ts';

/**
 * Makes the experiment's worktree. `life` is the workflow run: the same one again finds its worktree with all that was
 * committed in it; another one (the experiment started again after it failed) begins clean from the base.
 */
export async function prepareSource(
  deps: CodingDeps,
  input: PrepareSourceInput,
  life: string,
  signal: AbortSignal,
): Promise<PreparedSource> {
  const folder = experimentDir(deps, input.experimentId);
  const options = mirrorOptions(deps, input.repository, signal);
  await mkdir(folder, { recursive: true });
  const baseSha = await withMirror(options, async (mirror) => {
    const known = await readSourceRecord(folder);
    if (known !== null && (await isSameLife(known, input, life, folder))) return known.baseSha;
    await fetchMirror(mirror, options);
    const sha = await remoteBranch(mirror, input.base, options);
    await makeWorktree(deps, mirror, input.experimentId, sha, signal);
    const { repository, base } = input;
    // Last of all: without it a repeat makes the worktree again, and nothing is in it yet that could be lost.
    await writeSourceRecord(folder, { life, repository, base, baseSha: sha, head: sha });
    return sha;
  });
  return { baseSha, nextAttempt: await nextAttempt(folder) };
}

async function isSameLife(
  known: SourceRecord,
  input: PrepareSourceInput,
  life: string,
  folder: string,
): Promise<boolean> {
  const same = known.life === life && known.repository === input.repository && known.base === input.base;
  return same && (await exists(join(folder, 'source', '.git')));
}

async function makeWorktree(
  deps: CodingDeps,
  mirror: string,
  experimentId: string,
  baseSha: string,
  signal: AbortSignal,
): Promise<void> {
  const source = sourceDir(deps, experimentId);
  const call = gitCall(deps, mirror, signal);
  // An agent of the life before may still write here, if the worker that watched it was killed.
  await killLeftOvers(placeMarker(source));
  await rm(source, { recursive: true, force: true, maxRetries: 3 });
  await git(['worktree', 'prune'], call);
  const branch = branchName(experimentId);
  await git(['worktree', 'add', '--quiet', '--force', '--no-track', '-B', branch, source, baseSha], call);
}

/** Attempts keep their numbers over all lives: their folders hold what really ran. */
async function nextAttempt(folder: string): Promise<number> {
  let names: string[];
  try {
    names = await readdir(join(folder, 'attempts'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 1;
    throw error;
  }
  const numbers = names.filter((name) => /^[1-9]\d*$/.test(name)).map(Number);
  return 1 + Math.max(0, ...numbers);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
