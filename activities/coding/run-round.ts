import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { z } from 'zod';

import type { Finding } from '../../domain/decide-gate.ts';
import type { ChangeTry } from '../../domain/experiment.ts';
import { taskNotePath } from '../../domain/ids.ts';
import { addUsage, type ModelUsage } from '../../domain/model-usage.ts';
import { type Say, withAgentSession } from '../../infra/agents/agent-session.ts';
import { maskSecrets } from '../../infra/agents/mask-secrets.ts';
import { quote } from '../../infra/agents/quote.ts';
import { qwenAgent } from '../../infra/agents/qwen.ts';
import type { AgentWatch } from '../../infra/agents/while-beating.ts';
import { Failure } from '../../infra/failure.ts';
import { mirrorPath } from '../../infra/git/mirror.ts';
import { renderTemplate } from '../../infra/templates/render-template.ts';
import { checkSyntax } from './check-syntax.ts';
import { type CodingDeps, experimentDir, secretsOf, sourceDir } from './coding-deps.ts';
import type { ImplementInput } from './interface.ts';
import { guardRepository, type RepositoryGuard } from './repository-guard.ts';
import { runCheck } from './run-check.ts';

/** What Qwen Code must end with. */
const Report = z.strictObject({
  summary: z.string().min(1).max(4000).describe('What was changed and why, in one to three sentences'),
});

/** A change of the agent as it stands in the worktree. */
export interface Candidate {
  readonly summary: string;
  readonly usage: readonly ModelUsage[];
}

/** The commit of a candidate and the paths that it changes; no branch points to it yet. */
export interface Commit {
  readonly sha: string;
  readonly changedPaths: readonly string[];
}

export interface RoundResult extends Candidate {
  readonly commit: Commit;
  readonly tries: readonly ChangeTry[];
}

export interface Round {
  readonly input: ImplementInput;
  readonly watch: AgentWatch;
  /** Files in which git left the marks of a conflict, for the agent to settle. */
  readonly conflicts: readonly string[];
  /** Makes a commit of what stands in the worktree and checks it; throws the failures of `checkChange`. */
  readonly commit: (candidate: Candidate) => Promise<Commit>;
}

/** The first try, and twice more with what was wrong. */
const maxTries = 3;
const wallClockMs = 30 * 60_000;

/**
 * Qwen Code edits the worktree until its change passes: only allowed paths, files that can be read, and the repository's
 * own check. What is wrong goes back into the same session with the check's own words, a bounded number of times; at the
 * end throws `ChangeOutsidePaths` or `ChangeCheckFailed`, at once `ChangeEmpty`, `ChangeUnsafe`, and the failures of
 * `runAgent`.
 */
export async function runRound(deps: CodingDeps, round: Round): Promise<RoundResult> {
  const { input, watch } = round;
  const source = sourceDir(deps, input.experimentId);
  const agent = qwenAgent({
    argv: deps.tools.qwen,
    settings: deps.qwen,
    reportSchema: z.toJSONSchema(Report),
    maxTurns: 100,
    maxToolCalls: 300,
  });
  const options = {
    ...watch,
    cwd: source,
    environment: deps.environment,
    scratchDir: deps.scratchDir ?? tmpdir(),
    transcriptFile: join(experimentDir(deps, input.experimentId), 'agent', `round-${input.round}.jsonl`),
    // Git's own folders of the worktree: the agent may ask git what it changed.
    writable: [mirrorPath(deps.disk.sharedDir, input.note.repository)],
    wallClockMs,
    maxTokens: deps.limits.maxTokens,
  };
  const guard = await guardRepository(mirrorPath(deps.disk.sharedDir, input.note.repository), source);
  try {
    return await withAgentSession(agent, options, (say) => untilItPasses(deps, round, say, guard));
  } finally {
    await guard.check();
  }
}

async function untilItPasses(
  deps: CodingDeps,
  round: Round,
  say: Say,
  guard: RepositoryGuard,
): Promise<RoundResult> {
  const { input } = round;
  const tries: ChangeTry[] = [];
  let usage: readonly ModelUsage[] = [];
  let prompt = firstPrompt(round);
  for (;;) {
    const answer = await say(prompt);
    usage = addUsage(usage, answer.usage);
    // Before git is asked for anything: how it is set up decides what it runs.
    await guard.check();
    const report = Report.safeParse(answer.structured);
    if (!report.success) {
      throw new Failure('AgentOutputInvalid', 'Qwen Code ended without the report that it was asked for');
    }
    const candidate = { summary: report.data.summary, usage };
    const judged = await judge(deps, round, candidate);
    if (judged.status === 'accepted') {
      return { ...candidate, commit: judged.commit, tries: [...tries, { outcome: 'accepted', detail: '' }] };
    }
    const detail = maskSecrets(secretsOf(deps))(judged.detail);
    tries.push({ outcome: judged.status, detail: detail.slice(-2000) });
    if (tries.length === maxTries) throw lastWord(judged, detail);
    prompt = mendPrompt(input, detail);
  }
}

type Judged =
  | { readonly status: 'accepted'; readonly commit: Commit }
  | { readonly status: 'outside-paths'; readonly detail: string; readonly failure: Failure }
  | { readonly status: 'check-failed'; readonly detail: string };

async function judge(
  deps: CodingDeps,
  { input, watch, commit }: Round,
  candidate: Candidate,
): Promise<Judged> {
  let made: Commit;
  try {
    made = await commit(candidate);
  } catch (error) {
    if (!(error instanceof Failure) || error.type !== 'ChangeOutsidePaths') throw error;
    return { status: 'outside-paths', detail: error.message, failure: error };
  }
  const { environment, change } = input.note;
  const source = sourceDir(deps, input.experimentId);
  const common = { source, environment: deps.environment, signal: watch.signal };
  const python = { python: deps.tools.python, pythonVersion: environment.python };
  const unreadable = await checkSyntax({ ...common, ...python, paths: made.changedPaths });
  if (unreadable.length > 0) return { status: 'check-failed', detail: unreadable.join('\n') };
  if (change.check === undefined) return { status: 'accepted', commit: made };
  const failed = await runCheck({
    ...common,
    command: change.check,
    writable: [mirrorPath(deps.disk.sharedDir, input.note.repository)],
    scratchDir: deps.scratchDir ?? tmpdir(),
  });
  return failed === null ? { status: 'accepted', commit: made } : { status: 'check-failed', detail: failed };
}

function lastWord(judged: Exclude<Judged, { status: 'accepted' }>, detail: string): Failure {
  if (judged.status === 'outside-paths') return judged.failure;
  return new Failure(
    'ChangeCheckFailed',
    `the change does not pass the check of the repository after ${maxTries} tries: ${detail.slice(-1500)}`,
  );
}

function firstPrompt({ input, conflicts }: Round): string {
  return renderTemplate('implement-prompt.md.njk', {
    input: { ...input, findings: input.findings.map(describeFinding) },
    taskNote: taskNotePath(input.experimentId),
    title: quote(input.note.title, 200).slice(2),
    check: input.note.change.check ?? '',
    conflicts: conflicts.map((path) => quote(path, 300)),
    instructions: input.instructions === null ? '' : quote(input.instructions, 20_000),
  });
}

function mendPrompt({ experimentId, note, round }: ImplementInput, detail: string): string {
  return [
    'Task: implement the change, what you did must be mended.',
    '',
    `Experiment: ${experimentId}`,
    `Repository: ${note.repository}`,
    `Base branch: ${note.base}`,
    `Round: ${round}`,
    '',
    'The rules are as before. What you left in the worktree was refused, with these words:',
    '',
    quote(detail, 8000),
    '',
    'Mend it (undo what stands outside the allowed files), then report again.',
  ].join('\n');
}

function describeFinding({ source, path, line, text }: Finding): string {
  const place = path === null ? '' : `, at ${path}${line === null ? '' : `:${line}`}`;
  return `${quote(`${source}${place}`, 300)}\n${quote(text, 4000)}`;
}
