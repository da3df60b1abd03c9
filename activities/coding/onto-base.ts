import { taskNotePath } from '../../domain/ids.ts';
import { Failure } from '../../infra/failure.ts';
import { fetchMirror, remoteBranch, withMirror } from '../../infra/git/mirror.ts';
import { askGit, git, gitFailed, type GitCall } from '../../infra/git/run-git.ts';
import { type CodingDeps, mirrorOptions } from './coding-deps.ts';
import type { SourceRecord } from './source-record.ts';

/** The experiment's change as it lies on a base branch that has moved on. */
export interface OnBase {
  /** Stands on the new base: what is committed next has it as its parent, and is the whole change. */
  readonly record: SourceRecord;
  /** The files with the change in them, conflicts marked as git marks them. */
  readonly tree: string;
  readonly conflicts: readonly string[];
}

/** Puts the change of all rounds on top of the base branch as it is on the server now. */
export async function ontoBase(
  deps: CodingDeps,
  experimentId: string,
  record: SourceRecord,
  call: GitCall,
): Promise<OnBase> {
  const options = mirrorOptions(deps, record.repository, call.signal);
  const baseSha = await withMirror(options, async (mirror) => {
    await fetchMirror(mirror, options);
    return remoteBranch(mirror, record.base, options);
  });
  const args = ['merge-tree', '--write-tree', '--name-only', '--no-messages', '-z', baseSha, record.head];
  const answer = await askGit(args, call);
  // 1: there are conflicts, and a tree all the same.
  if (answer.exitCode > 1) throw await gitFailed(args, answer, call);
  const [tree = '', ...conflicts] = answer.stdout.split('\0').filter((part) => part !== '');
  return {
    record: { ...record, baseSha, head: baseSha },
    tree,
    // It may stand on the base by an earlier life of the experiment; it is written again in any case.
    conflicts: conflicts.filter((path) => path !== taskNotePath(experimentId)),
  };
}

/** The worktree as the tree has it; HEAD stays where it is. */
export async function checkOutTree(tree: string, call: GitCall): Promise<void> {
  await git(['read-tree', '--reset', '-u', tree], call);
}

/** Throws `AgentFailed`, which is tried again, when a file still holds the marks of a conflict. */
export async function requireSettled(
  conflicts: readonly string[],
  tree: string,
  call: GitCall,
): Promise<void> {
  const left: string[] = [];
  for (const path of conflicts) {
    const answer = await askGit(['cat-file', 'blob', `${tree}:${path}`], call);
    if (answer.exitCode === 0 && /^(?:<{7}|>{7})(?: |$)/m.test(answer.stdout)) left.push(path);
  }
  if (left.length === 0) return;
  throw new Failure(
    'AgentFailed',
    `the coding agent left the marks of a conflict in ${left.join(', ')}: it is asked again`,
  );
}
