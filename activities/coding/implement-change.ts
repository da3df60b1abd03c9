import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { z } from 'zod';

import type { Finding } from '../../domain/decide-gate.ts';
import { branchName, taskNoteFile } from '../../domain/ids.ts';
import { formatTaskNote } from '../../domain/task-note-text.ts';
import { placeMarker } from '../../infra/agents/agent-process.ts';
import { withAgentSession } from '../../infra/agents/agent-session.ts';
import { killLeftOvers } from '../../infra/agents/left-overs.ts';
import { quote } from '../../infra/agents/quote.ts';
import { qwenAgent } from '../../infra/agents/qwen.ts';
import type { AgentWatch } from '../../infra/agents/while-beating.ts';
import { Failure } from '../../infra/failure.ts';
import { mirrorPath } from '../../infra/git/mirror.ts';
import { git, type GitCall } from '../../infra/git/run-git.ts';
import { withLock } from '../../infra/git/with-lock.ts';
import { renderTemplate } from '../../infra/templates/render-template.ts';
import { checkChange, inspectChange } from './check-change.ts';
import { type CodingDeps, experimentDir, gitCall, sourceDir } from './coding-deps.ts';
import type { Implementation, ImplementInput } from './interface.ts';
import { checkOutTree, ontoBase, requireSettled } from './onto-base.ts';
import { guardRepository } from './repository-guard.ts';
import { commitRound, findRound, readRoundCommit, type RoundCommit } from './round-commit.ts';
import { readSourceRecord, type SourceRecord, writeSourceRecord } from './source-record.ts';

/** What Qwen Code must end with. */
const Report = z.strictObject({
  summary: z.string().min(1).max(4000).describe('What was changed and why, in one to three sentences'),
});

const wallClockMs = 30 * 60_000;

/**
 * One round of the coding agent: it edits the worktree, the worker checks what came of it and commits. A round that is
 * committed already is returned as it is. Throws `ChangeEmpty`, `ChangeOutsidePaths`, `ChangeUnsafe`, `GitFailed`, and the
 * failures of `runAgent`.
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
    const known = await findKnown(deps, input, record, call);
    if (known !== null) return finish(folder, record, known, rulesOf(deps, input), call);
    const moved = input.ontoBase === true ? await ontoBase(deps, record, call) : null;
    const conflicts = moved?.conflicts ?? [];
    const on = moved?.record ?? record;
    await resetTo(on.head, input, call);
    if (moved !== null) await checkOutTree(moved.tree, call);
    await writeFile(join(source, taskNoteFile), formatTaskNote(input));
    const { summary, tokens } = await runQwen(deps, input, source, watch, conflicts);
    const tree = await takeTree(source, input, on, call);
    await requireSettled(conflicts, tree, call);
    const secrets = secretsOf(deps);
    const sha = await commitRound(input, { tree, parent: on.head, summary, tokens, secrets }, call);
    const commit: RoundCommit = { ...input, sha, parent: on.head, tokens, summary };
    return finish(folder, on, commit, rulesOf(deps, input), call);
  });
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
  const commit = await readRoundCommit(tip, call);
  const fits =
    commit?.round === input.round &&
    commit.experimentId === input.experimentId &&
    commit.parent === record.head;
  return fits ? commit : null;
}

/** Checks the commit, then lets the branch and the record point to it. */
async function finish(
  folder: string,
  record: SourceRecord,
  commit: RoundCommit,
  rules: Parameters<typeof checkChange>[2],
  call: GitCall,
): Promise<Implementation> {
  const changedPaths = await checkChange(commit.parent, commit.sha, rules, call);
  if (commit.parent === record.head) {
    await git(['update-ref', `refs/heads/${branchName(commit.experimentId)}`, commit.sha], call);
    await writeSourceRecord(folder, { ...record, head: commit.sha });
    await git(['reset', '--quiet', '--hard', commit.sha], call);
  }
  const inspection = await inspectChange(record.baseSha, commit.sha, call);
  return { headSha: commit.sha, summary: commit.summary, changedPaths, tokens: commit.tokens, inspection };
}

/** The worktree as the last checked commit has it; only the link to the environment stays. */
async function resetTo(head: string, input: ImplementInput, call: GitCall): Promise<void> {
  const gitDir = await git(['rev-parse', '--absolute-git-dir'], call);
  for (const name of ['index.lock', 'HEAD.lock']) await rm(join(gitDir, name), { force: true });
  const ref = `refs/heads/${branchName(input.experimentId)}`;
  await git(['symbolic-ref', 'HEAD', ref], call);
  await git(['update-ref', ref, head], call);
  await git(['reset', '--quiet', '--hard', head], call);
  await git(['clean', '--quiet', '-ffdx', '-e', '/.venv'], call);
}

async function runQwen(
  deps: CodingDeps,
  input: ImplementInput,
  source: string,
  watch: AgentWatch,
  conflicts: readonly string[],
): Promise<{ summary: string; tokens: number }> {
  const agent = qwenAgent({
    argv: deps.tools.qwen,
    settings: deps.qwen,
    reportSchema: z.toJSONSchema(Report),
    maxTurns: 100,
    maxToolCalls: 300,
  });
  const name = `round-${input.round}.jsonl`;
  const options = {
    ...watch,
    cwd: source,
    environment: deps.environment,
    scratchDir: deps.scratchDir ?? tmpdir(),
    transcriptFile: join(experimentDir(deps, input.experimentId), 'agent', name),
    wallClockMs,
  };
  const prompt = renderTemplate('implement-prompt.md.njk', {
    input: { ...input, findings: input.findings.map(describeFinding) },
    title: quote(input.note.title, 200).slice(2),
    conflicts: conflicts.map((path) => quote(path, 300)),
    instructions: input.instructions === null ? '' : quote(input.instructions, 20_000),
  });
  const mirror = mirrorPath(deps.disk.sharedDir, input.note.repository);
  const guard = await guardRepository(mirror, source);
  try {
    const answer = await withAgentSession(agent, options, (say) => say(prompt));
    const report = Report.safeParse(answer.structured);
    if (!report.success) {
      throw new Failure('AgentOutputInvalid', `${agent.name} ended without the report that it was asked for`);
    }
    return { summary: report.data.summary, tokens: answer.tokens };
  } finally {
    await guard.check();
  }
}

/** The worktree as a tree object, whatever the agent did to HEAD, branch and index. */
async function takeTree(
  source: string,
  input: ImplementInput,
  record: SourceRecord,
  call: GitCall,
): Promise<string> {
  const gitDir = await git(['rev-parse', '--absolute-git-dir'], call);
  await rm(join(gitDir, 'index.lock'), { force: true });
  const ref = `refs/heads/${branchName(input.experimentId)}`;
  await git(['symbolic-ref', 'HEAD', ref], call);
  await git(['update-ref', ref, record.head], call);
  await git(['read-tree', record.head], call);
  await rm(join(source, taskNoteFile), { recursive: true, force: true });
  await writeFile(join(source, taskNoteFile), formatTaskNote(input));
  await git(['add', '--all', '--', '.'], call);
  // The repository may ignore it; it belongs to the change all the same.
  await git(['add', '--force', '--', taskNoteFile], call);
  return git(['write-tree'], call);
}

function describeFinding({ source, path, line, text }: Finding): string {
  const place = path === null ? '' : `, at ${path}${line === null ? '' : `:${line}`}`;
  return `${quote(`${source}${place}`, 300)}\n${quote(text, 4000)}`;
}

function rulesOf(deps: CodingDeps, input: ImplementInput): Parameters<typeof checkChange>[2] {
  return { paths: input.note.change.paths, secrets: secretsOf(deps) };
}

function secretsOf(deps: CodingDeps): readonly string[] {
  return [deps.qwen.apiKey, deps.git.pushToken];
}
