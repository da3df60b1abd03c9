import type { SearchAttributePair } from '@temporalio/common';
import { log, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';

import type { AnsweredWord } from '../domain/command.ts';
import type { QualityOverride } from '../domain/decide-quality.ts';
import type { Shown } from '../domain/decide-word.ts';
import type { Decision, RefusedDecision } from '../domain/decision.ts';
import type { GateAnswer } from '../domain/decide-gate.ts';
import type { Evidence, LiveResults, Results } from '../domain/evidence.ts';
import type {
  ChangeRecord,
  ExperimentInput,
  ExperimentStatus,
  JobStatus,
  PhaseRecord,
} from '../domain/experiment.ts';
import { branchName } from '../domain/ids.ts';
import { addUsage, type ModelUsage } from '../domain/model-usage.ts';
import type { Outcome, Phase } from '../domain/phase.ts';
import type { Remark } from '../domain/remark.ts';
import type { TaskNote } from '../domain/task-note.ts';
import type { CommandRehearsal, FrozenEnvironment } from '../activities/environment/interface.ts';
import type { Implementation } from '../activities/coding/interface.ts';
import type { WordCursor } from '../activities/github/conversation.ts';
import type { Picture, PullRequestRef } from '../activities/github/interface.ts';
import type { WrittenNote } from '../activities/notes/interface.ts';
import { searchAttributes, type JobSettled } from './contract.ts';
import { presentStatus } from './present-status.ts';
import type { FinishedJob } from './job.ts';

/** One attempt as the experiment sees it. */
export interface Attempt {
  readonly number: number;
  readonly headSha: string;
  readonly jobs: JobStatus[];
  /** By seed: the GPUs that its job holds, since when (ms since the epoch); beyond what the job's own hours hold. */
  readonly running: Map<number, { readonly gpus: number; readonly since: number }>;
  /** Why its jobs were stopped for the budget; null while they were not. */
  overBudget: string | null;
}

/** Everything that an experiment knows, changed only by the steps of its story. */
export interface Experiment {
  readonly input: ExperimentInput;
  readonly startedAt: number;
  note: TaskNote | null;
  body: string;
  phase: Phase | Outcome;
  waitingFor: string;
  readonly phases: PhaseRecord[];
  nextAttempt: number;
  implementation: Implementation | null;
  round: number;
  repairs: number;
  environment: FrozenEnvironment | null;
  /** How the command behaved where everything is as in the job but the GPU; null before it was tried. */
  rehearsal: CommandRehearsal | null;
  pullRequest: PullRequestRef | null;
  commentUrl: string | null;
  gate: GateAnswer | null;
  override: QualityOverride | null;
  readonly attempts: Attempt[];
  /** Finished jobs of the present head and environment, over all of its attempts. */
  finished: FinishedJob[];
  evidence: Evidence | null;
  /** The curves that belong to the evidence, for whoever draws them. */
  results: Results | null;
  pictures: readonly Picture[];
  /** What W&B had so far while the present attempt trains; null before. */
  live: LiveResults | null;
  decision: Decision | null;
  readonly refused: RefusedDecision[];
  mergeSha: string | null;
  writtenNote: WrittenNote | null;
  tokens: number;
  /** The same by agent and model. */
  usage: readonly ModelUsage[];
  readonly changes: ChangeRecord[];
  remarks: readonly Remark[];
  failure: { readonly type: string; readonly message: string } | null;
  /** Webhooks that said *look again* at what the gate looks at. */
  nudges: number;
  /** Webhooks that said *look again* at what people say. */
  conversationNudges: number;
  /** What the sticky comment asks for; null before it asked for anything. */
  shown: Shown | null;
  /** Words in comments and what became of them: the last ones. */
  readonly said: AnsweredWord[];
  /** How far the comments have been heard. */
  cursor: WordCursor;
  /** The sticky comment is being written: one writer after the other, or an older state could come last. */
  commenting: boolean;
  /** The base branch has moved on, so that the next change must be put on top of it. */
  baseMoved: boolean;
  /** What is wrong with the pull request beside the experiment's own way, for people. */
  warnings: readonly string[];
  /** What could not be done as it is meant to be, for people; it stays so. */
  readonly notices: string[];
  /** The jobs ended in a way that only a person can answer, who has no evidence to decide on. */
  stalled: boolean;
  /** Why the branch cannot be pushed; null when it can. */
  pushRefused: string | null;
  /** Answers about submissions that were not passed on yet, by `<attempt>/<seed>`. */
  readonly answers: Map<string, JobSettled>;
}

export function openExperiment(input: ExperimentInput): Experiment {
  return {
    input,
    startedAt: Date.now(),
    note: input.source.kind === 'idea' ? null : input.source.note,
    body: input.source.kind === 'idea' ? '' : input.source.body,
    phase: 'planning',
    waitingFor: '',
    phases: [],
    nextAttempt: 1,
    implementation: null,
    round: 0,
    repairs: 0,
    environment: null,
    rehearsal: null,
    // A person's pull request stays as they made it.
    pullRequest: input.source.kind === 'pull-request' ? { ...input.source.pullRequest, draft: false } : null,
    commentUrl: null,
    gate: null,
    override: null,
    attempts: [],
    finished: [],
    evidence: null,
    results: null,
    pictures: [],
    live: null,
    decision: null,
    refused: [],
    mergeSha: null,
    writtenNote: null,
    tokens: 0,
    usage: [],
    changes: [],
    remarks: [],
    failure: null,
    nudges: 0,
    conversationNudges: 0,
    shown: null,
    said: [],
    // Comments of an earlier life of the same experiment are none of this one's business.
    cursor: { since: new Date(Date.now()).toISOString(), known: [], state: 'open', strangersLeft: 20 },
    commenting: false,
    baseMoved: false,
    warnings: [],
    notices: [],
    stalled: false,
    pushRefused: null,
    answers: new Map(),
  };
}

/** Adds what an agent took to the experiment's account. */
export function charge(
  experiment: Experiment,
  { tokens, usage = [] }: { readonly tokens: number; readonly usage?: readonly ModelUsage[] },
): void {
  experiment.tokens += tokens;
  experiment.usage = addUsage(experiment.usage, usage);
}

export function repositoryOf({ input, note }: Experiment): string {
  if (note !== null) return note.repository;
  return input.source.kind === 'idea' ? input.source.repository : input.source.note.repository;
}

/** Where the change is: a branch of its own, or that of a person's pull request. */
export function branchOf({ input }: Pick<Experiment, 'input'>): string {
  return input.source.kind === 'pull-request' ? input.source.branch : branchName(input.id);
}

/** GPU hours of all jobs so far; those that run are counted on to `now` (ms since the epoch) where that is given. */
export function gpuHoursOf({ attempts }: Experiment, now?: number): number {
  const told = attempts.flatMap(({ jobs }) => jobs).reduce((sum, job) => sum + job.gpuHours, 0);
  const since = attempts.flatMap(({ running }) => [...running.values()]);
  const untold = since.reduce((sum, job) => sum + job.gpus * Math.max(0, (now ?? job.since) - job.since), 0);
  return Number((told + untold / 3_600_000).toFixed(4));
}

/** What the task note still allows, GPU hours. */
export function gpuHoursLeftOf(experiment: Experiment): number {
  return (experiment.note?.budget.gpu_hours ?? Infinity) - gpuHoursOf(experiment);
}

/** What the task note still allows, attempts. */
export function attemptsLeftOf({ note, attempts }: Experiment): number {
  return (note?.budget.attempts ?? 1) - attempts.length;
}

export function jobIdsOf(experiment: Experiment): string[] {
  return experiment.attempts.flatMap((attempt) => attempt.jobs.flatMap((job) => job.jobId ?? []));
}

/** Enters a phase (again to say what is waited for) and shows it wherever people look. */
export function enterPhase(experiment: Experiment, phase: Phase | Outcome, waitingFor: string): void {
  const now = new Date(Date.now()).toISOString();
  if (phase !== experiment.phase || experiment.phases.length === 0) {
    const last = experiment.phases.at(-1);
    if (last !== undefined) experiment.phases[experiment.phases.length - 1] = { ...last, endedAt: now };
    if (!isOutcome(phase)) experiment.phases.push({ phase, startedAt: now, endedAt: null });
    experiment.phase = phase;
    log.info('phase', { phase });
    upsertSearchAttributes(searchableParts(experiment, phase));
  }
  experiment.waitingFor = waitingFor;
  show(experiment);
}

/** All at once on each phase: every change of its own would be an event more in the history. */
function searchableParts(experiment: Experiment, phase: Phase | Outcome): SearchAttributePair[] {
  const repository = repositoryOf(experiment);
  const { pullRequest } = experiment;
  return [
    { key: searchAttributes.phase, value: phase },
    { key: searchAttributes.repository, value: repository },
    { key: searchAttributes.gpuHours, value: gpuHoursOf(experiment) },
    { key: searchAttributes.jobIds, value: jobIdsOf(experiment) },
    ...(pullRequest === null
      ? []
      : [{ key: searchAttributes.pullRequest, value: `${repository}#${pullRequest.number}` }]),
    ...(isOutcome(phase) ? [{ key: searchAttributes.outcome, value: phase }] : []),
  ];
}

/** Renews what the Temporal Web UI shows. */
export function show(experiment: Experiment): void {
  setCurrentDetails(presentStatus(statusOf(experiment)));
}

/** What the comment showed last of runs that are under way. */
export function liveRowsOf({ live }: Experiment): ExperimentStatus['live'] {
  return live && { rows: live.runs.reduce((sum, run) => sum + run.rows, 0), asOf: live.asOf };
}

export function statusOf(experiment: Experiment): ExperimentStatus {
  const { input, note, pullRequest, environment, writtenNote } = experiment;
  return {
    id: input.id,
    title: note?.title ?? input.id,
    repository: repositoryOf(experiment),
    phase: experiment.phase,
    waitingFor: experiment.waitingFor,
    since: experiment.phases.at(-1)?.startedAt ?? new Date(experiment.startedAt).toISOString(),
    phases: experiment.phases,
    branch: branchOf(experiment),
    headSha: experiment.implementation?.headSha ?? null,
    pullRequest,
    environment: environment && { digest: environment.digest, reused: environment.reused },
    gate: experiment.gate,
    repairs: experiment.repairs,
    warnings: [...experiment.notices, ...experiment.warnings],
    attempts: experiment.attempts.map(({ number, headSha, jobs }) => ({ number, headSha, jobs })),
    stalled: experiment.stalled,
    pushRefused: experiment.pushRefused,
    live: liveRowsOf(experiment),
    evidence: experiment.evidence,
    decision: experiment.decision,
    refused: experiment.refused,
    said: experiment.said,
    shown: experiment.shown,
    override: experiment.override,
    mergeSha: experiment.mergeSha,
    note: writtenNote && { path: writtenNote.path, commit: writtenNote.commit },
    cost: { gpuHours: gpuHoursOf(experiment), tokens: experiment.tokens, models: experiment.usage },
    changes: experiment.changes,
    remarks: experiment.remarks,
    budget: note && { gpuHours: note.budget.gpu_hours, attempts: note.budget.attempts },
    failure: experiment.failure,
    links: linksOf(experiment),
  };
}

function linksOf({ pullRequest, commentUrl, attempts }: Experiment): ExperimentStatus['links'] {
  const runs = attempts.flatMap((attempt) => attempt.jobs);
  return [
    ...(pullRequest === null ? [] : [{ label: `pull request #${pullRequest.number}`, url: pullRequest.url }]),
    ...(commentUrl === null ? [] : [{ label: 'results in the pull request', url: commentUrl }]),
    ...runs.flatMap((job) =>
      job.runUrl === null ? [] : [{ label: `W&B run, seed ${job.seed}`, url: job.runUrl }],
    ),
  ];
}

function isOutcome(phase: Phase | Outcome): phase is Outcome {
  return phase === 'merged' || phase === 'rejected' || phase === 'stopped' || phase === 'failed';
}
