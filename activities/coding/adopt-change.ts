import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

import { branchName, taskNoteFile } from '../../domain/ids.ts';
import { parseTaskNote } from '../../domain/task-note-text.ts';
import { Failure } from '../../infra/failure.ts';
import { fetchMirror, remoteBranch, withMirror } from '../../infra/git/mirror.ts';
import { askGit, git, type GitCall } from '../../infra/git/run-git.ts';
import { withLock } from '../../infra/git/with-lock.ts';
import { checkChange, inspectChange } from './check-change.ts';
import { type CodingDeps, experimentDir, gitCall, mirrorOptions, sourceDir } from './coding-deps.ts';
import type { AdoptInput, Implementation } from './interface.ts';
import { readSourceRecord, writeSourceRecord } from './source-record.ts';

/**
 * Takes the newest commit of a person's branch as the change: the worktree stands at it, checked by the same rules as the
 * coding agent's work. Throws `BaseBranchNotFound` (also for the branch itself), `TaskNoteInvalid` when the note is not
 * the one that the experiment was started with, `ChangeEmpty`, `ChangeOutsidePaths`, `ChangeUnsafe`, `GitFailed`.
 */
export async function adoptChange(
  deps: CodingDeps,
  input: AdoptInput,
  signal: AbortSignal,
): Promise<Implementation> {
  const { experimentId, note, branch } = input;
  const folder = experimentDir(deps, experimentId);
  const source = sourceDir(deps, experimentId);
  const options = mirrorOptions(deps, note.repository, signal);
  await mkdir(folder, { recursive: true });
  const { headSha, baseSha } = await withMirror(options, async (mirror) => {
    await fetchMirror(mirror, options);
    const head = await remoteBranch(mirror, branch, options);
    const base = await remoteBranch(mirror, note.base, options);
    return { headSha: head, baseSha: await git(['merge-base', base, head], gitCall(deps, mirror, signal)) };
  });
  return withLock(join(folder, 'source'), signal, async () => {
    const record = await readSourceRecord(folder);
    if (record === null) {
      throw new Failure(
        'GitFailed',
        `${source} is no worktree that was prepared; start the experiment again`,
      );
    }
    const call = gitCall(deps, source, signal);
    await assertSameNote(input, headSha, call);
    const rules = {
      paths: note.change.paths,
      taskNotePath: taskNoteFile,
      secrets: [deps.qwen.apiKey, deps.git.pushToken],
    };
    const changedPaths = await checkChange(baseSha, headSha, rules, call);
    await standAt(headSha, experimentId, call);
    await writeSourceRecord(folder, { ...record, baseSha, head: headSha });
    const subject = await git(['show', '-s', '--format=%s', headSha], call);
    const inspection = await inspectChange(baseSha, headSha, taskNoteFile, call);
    return { headSha, summary: subject.slice(0, 500), changedPaths, tokens: 0, inspection };
  });
}

/** Budget and resources were agreed to with this note: a push must not change them under way. */
async function assertSameNote({ note, body }: AdoptInput, sha: string, call: GitCall): Promise<void> {
  const answer = await askGit(['cat-file', 'blob', `${sha}:${taskNoteFile}`], call);
  const found = answer.exitCode === 0 ? parseTaskNote(answer.stdout) : null;
  if (found?.status === 'valid' && isDeepStrictEqual(found.note, note) && found.body.trim() === body.trim()) {
    return;
  }
  throw new Failure(
    'TaskNoteInvalid',
    `${taskNoteFile} at ${sha.slice(0, 12)} is not the one that the experiment was started with: start it again from the pull request`,
  );
}

async function standAt(sha: string, experimentId: string, call: GitCall): Promise<void> {
  const gitDir = await git(['rev-parse', '--absolute-git-dir'], call);
  for (const name of ['index.lock', 'HEAD.lock']) await rm(join(gitDir, name), { force: true });
  const ref = `refs/heads/${branchName(experimentId)}`;
  await git(['symbolic-ref', 'HEAD', ref], call);
  await git(['update-ref', ref, sha], call);
  await git(['reset', '--quiet', '--hard', sha], call);
  await git(['clean', '--quiet', '-ffdx', '-e', '/.venv'], call);
}
