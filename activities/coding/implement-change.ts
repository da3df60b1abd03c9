import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { branchName, taskNotePath } from '../../domain/ids.ts';
import { tokensOf } from '../../domain/model-usage.ts';
import { placeMarker } from '../../infra/agents/agent-process.ts';
import { killLeftOvers } from '../../infra/agents/left-overs.ts';
import type { AgentWatch } from '../../infra/agents/while-beating.ts';
import { Failure } from '../../infra/failure.ts';
import { mirrorPath } from '../../infra/git/mirror.ts';
import { git, type GitCall } from '../../infra/git/run-git.ts';
import { withLock } from '../../infra/git/with-lock.ts';
import { checkChange, inspectChange } from './check-change.ts';
import { type CodingDeps, experimentDir, gitCall, secretsOf, sourceDir } from './coding-deps.ts';
import type { Implementation, ImplementInput } from './interface.ts';
import { checkOutTree, ontoBase, requireSettled } from './onto-base.ts';
import { commitRound, findRound, readRoundCommit, type RoundCommit } from './round-commit.ts';
import { placeTaskNote, stageTaskNote } from './place-task-note.ts';
import { readRoundRecord, writeRoundRecord } from './round-record.ts';
import { type Candidate, type Commit, runRound } from './run-round.ts';
import { readSourceRecord, type SourceRecord, writeSourceRecord } from './source-record.ts';

/**
 * One round of the coding agent: it edits the worktree, the worker checks what came of it and commits. A round that is
 * committed already is returned as it is. Throws the failures of `runRound`, and `GitFailed`.
 */
export async function implementChange(
  deps: CodingDeps,
  input: ImplementInput,
  watch: AgentWatch,
): Promise<Implementation> {
  const folder = experimentDir(deps, input.experimentId);
  const source = sourceDir(deps, input.experimentId);
  return withLock(join(folder, 'source'), watch.signal, async () => {
    const record = await readSourceRecord(folder);
    if (record === null) {
      throw new Failure(
        'GitFailed',
        `${source} is no worktree that was prepared; start the experiment again`,
      );
    }
    const call = gitCall(deps, source, watch.signal);
    // An agent whose worker was killed may still write here.
    await killLeftOvers(placeMarker(source));
    const [known, gitDir] = await Promise.all([
      findKnown(deps, input, record, call),
      git(['rev-parse', '--absolute-git-dir'], call),
    ]);
    const worktree: Worktree = {
      source,
      gitDir,
      branch: `refs/heads/${branchName(input.experimentId)}`,
      call,
    };
    if (known !== null) {
      const changedPaths = await checkChange(known.parent, known.sha, rulesOf(deps, input), call);
      return finish(folder, record, known, changedPaths, worktree);
    }
    const moved = input.ontoBase === true ? await ontoBase(deps, input.experimentId, record, call) : null;
    const conflicts = moved?.conflicts ?? [];
    const on = moved?.record ?? record;
    await resetTo(on.head, worktree);
    await git(['clean', '--quiet', '-ffdx', '-e', '/.venv'], call);
    if (moved !== null) await checkOutTree(moved.tree, call);
    await placeTaskNote(source, input);
    const commit = async ({ summary, usage }: Candidate): Promise<Commit> => {
      const tree = await takeTree(worktree, input, on.head);
      await requireSettled(conflicts, tree, call);
      const secrets = secretsOf(deps);
      const tokens = tokensOf(usage);
      const sha = await commitRound(input, { tree, parent: on.head, summary, tokens, secrets }, call);
      return { sha, changedPaths: await checkChange(on.head, sha, rulesOf(deps, input), call) };
    };
    const done = await runRound(deps, { input, watch, conflicts, commit });
    const { sha } = done.commit;
    await writeRoundRecord(folder, input.round, { sha, usage: [...done.usage], tries: [...done.tries] });
    const made = await readRoundCommit(sha, call);
    if (made === null) throw new Failure('GitFailed', `the commit ${sha} of ${source} cannot be read back`);
    return finish(folder, on, made, done.commit.changedPaths, worktree);
  });
}

interface Worktree {
  readonly source: string;
  /** Git's own folder of the worktree, as it was before an agent could change where that is. */
  readonly gitDir: string;
  /** Full name of the experiment's branch. */
  readonly branch: string;
  readonly call: GitCall;
}

/** A commit of this round, checked before, or made just before the worker died. */
async function findKnown(
  deps: CodingDeps,
  input: ImplementInput,
  record: SourceRecord,
  call: GitCall,
): Promise<RoundCommit | null> {
  const known = await findRound(record.baseSha, record.head, input, call);
  if (known !== null) return known;
  const mirrorCall = { ...call, cwd: mirrorPath(deps.disk.sharedDir, record.repository) };
  const tip = await git(
    ['rev-parse', '--verify', `refs/heads/${branchName(input.experimentId)}`],
    mirrorCall,
  );
  if (tip === record.head) return null;
  const commit = await readRoundCommit(tip, call);
  const fits =
    commit?.round === input.round &&
    commit.experimentId === input.experimentId &&
    commit.parent === record.head;
  return fits ? commit : null;
}

/** Lets the branch and the record point to a commit that was checked. */
async function finish(
  folder: string,
  record: SourceRecord,
  commit: RoundCommit,
  changedPaths: readonly string[],
  worktree: Worktree,
): Promise<Implementation> {
  const { call } = worktree;
  if (commit.parent === record.head) {
    // The branch first: what it points to is found again by whoever comes after a death in between.
    await resetTo(commit.sha, worktree);
    await writeSourceRecord(folder, { ...record, head: commit.sha });
  }
  const known = await readRoundRecord(folder, commit.round, commit.sha);
  const notePath = taskNotePath(commit.experimentId);
  const [size, diff, inspection] = await Promise.all([
    git(['diff', '--shortstat', commit.parent, commit.sha], call),
    changeOf(record.baseSha, commit.sha, notePath, call),
    inspectChange(record.baseSha, commit.sha, notePath, call),
  ]);
  return {
    headSha: commit.sha,
    summary: commit.summary,
    changedPaths,
    tokens: commit.tokens,
    usage: known?.usage ?? [],
    tries: known?.tries ?? [],
    size: size.trim(),
    diff,
    inspection,
  };
}

/** The whole change against the base, for people and for the discussion of the results; the task note tells itself. */
async function changeOf(base: string, sha: string, note: string, call: GitCall): Promise<string> {
  const plain = ['--no-color', '--no-ext-diff', '--no-textconv'];
  const patch = await git(['diff', ...plain, base, sha, '--', '.', `:(exclude)${note}`], call);
  return patch.length > longestDiff ? `${patch.slice(0, longestDiff)}\n… (cut)` : patch;
}

/** It travels in the experiment's history. */
const longestDiff = 30_000;

/** The branch, the index and the files as the commit has them, whatever HEAD and index were left as; other files stay. */
async function resetTo(commit: string, { gitDir, branch, call }: Worktree): Promise<void> {
  for (const name of ['index.lock', 'HEAD.lock']) await rm(join(gitDir, name), { force: true });
  await git(['symbolic-ref', 'HEAD', branch], call);
  await git(['reset', '--quiet', '--hard', commit], call);
}

/** The worktree as a tree object, whatever the agent did to HEAD, branch and index: none of them is asked. */
async function takeTree(
  { source, gitDir, call }: Worktree,
  input: ImplementInput,
  head: string,
): Promise<string> {
  await rm(join(gitDir, 'index.lock'), { force: true });
  await git(['read-tree', head], call);
  await placeTaskNote(source, input);
  await git(['add', '--all', '--', '.'], call);
  await stageTaskNote(input, call);
  return git(['write-tree'], call);
}

function rulesOf(deps: CodingDeps, input: ImplementInput): Parameters<typeof checkChange>[2] {
  return {
    paths: input.note.change.paths,
    taskNotePath: taskNotePath(input.experimentId),
    secrets: secretsOf(deps),
  };
}
