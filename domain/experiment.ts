import type { AnsweredWord } from './command.ts';
import type { QualityOverride } from './decide-quality.ts';
import type { Shown } from './decide-word.ts';
import type { Decision, RefusedDecision } from './decision.ts';
import type { Evidence } from './evidence.ts';
import type { GateAnswer } from './decide-gate.ts';
import type { JobOutcome, JobState } from './job.ts';
import type { ModelUsage } from './model-usage.ts';
import type { Outcome, Phase } from './phase.ts';
import type { Remark } from './remark.ts';
import type { TaskNote } from './task-note.ts';

/** Where an experiment begins: with an idea (planned by Gemini CLI), a task note, or a person's pull request with one. */
export type ExperimentSource =
  | { readonly kind: 'idea'; readonly idea: string; readonly repository: string; readonly base: string }
  | { readonly kind: 'note'; readonly note: TaskNote; readonly body: string }
  | {
      /** A person's change: the way begins with the environment. */
      readonly kind: 'pull-request';
      readonly note: TaskNote;
      readonly body: string;
      readonly pullRequest: { readonly number: number; readonly url: string };
      readonly branch: string;
    };

/** Argument of `ExperimentWorkflow`. */
export interface ExperimentInput {
  readonly id: string;
  readonly source: ExperimentSource;
  /** Who started it, for the record. */
  readonly by: string;
  readonly policy: ExperimentPolicy;
}

/** Settings of this installation that the workflow needs; given at the start so that a replay sees the same. */
export interface ExperimentPolicy {
  /** Seconds between two questions to the Qizhi API about one job. */
  readonly qizhiPollSeconds: number;
  /** Seconds between two looks at the pull request while nothing nudges. */
  readonly githubPollSeconds: number;
  /** How many times findings of the gate go back to the coding agent. */
  readonly maxRepairs: number;
  /** Minutes to wait for Copilot's review before going on without it; the gate shows that it is missing. */
  readonly reviewDeadlineMinutes: number;
  /** Who opens the pull request: `qwen` is tried first where it is said; whatever it does, the pull request is opened. */
  readonly pullRequestBy?: 'hephaestus' | 'qwen';
  /** Names of checks or statuses that must be green on the head. */
  readonly requiredChecks: readonly string[];
  readonly requireCopilot: boolean;
  /** Minutes that an unknown submission may stay unsettled before the PI is asked. */
  readonly unknownDeadlineMinutes: number;
  /** Keeps the head of a merged experiment under the tag `headTag(id)`. */
  readonly keepHeadTag?: boolean;
}

/** One stretch of the way, for people: ISO 8601 times, UTC. */
export interface PhaseRecord {
  readonly phase: Phase;
  readonly startedAt: string;
  readonly endedAt: string | null;
}

export interface JobStatus {
  readonly seed: number;
  readonly state: 'submitting' | 'unknown-submission' | JobState | 'syncing' | 'synced' | 'lost';
  readonly detail: string;
  readonly jobId: string | null;
  readonly runId: string;
  readonly runUrl: string | null;
  readonly outcome: JobOutcome | null;
  /** GPU hours so far, those of the jobs that were turned away included. */
  readonly gpuHours: number;
  /** What only a person can settle about its submission, as a sentence with the answers; null when nothing is asked. */
  readonly question: string | null;
  /** Jobs that found the attempt claimed and left at once. */
  readonly duplicates: readonly string[];
  /** Highest resident memory of the training, bytes; null while it is not known. */
  readonly peakMemoryBytes: number | null;
}

export interface AttemptStatus {
  readonly number: number;
  readonly headSha: string;
  readonly jobs: readonly JobStatus[];
}

/** Answer of the `status` query: everything that a person or program may want to know of an experiment. */
export interface ExperimentStatus {
  readonly id: string;
  readonly title: string;
  readonly repository: string;
  readonly phase: Phase | Outcome;
  /** What is being waited for, as a sentence; '' when nothing is. */
  readonly waitingFor: string;
  readonly since: string;
  readonly phases: readonly PhaseRecord[];
  readonly branch: string;
  readonly headSha: string | null;
  readonly pullRequest: { readonly number: number; readonly url: string } | null;
  readonly environment: { readonly digest: string; readonly reused: boolean } | null;
  readonly gate: GateAnswer | null;
  readonly repairs: number;
  /** What is wrong with the pull request and what to do, as sentences. */
  readonly warnings?: readonly string[];
  readonly attempts: readonly AttemptStatus[];
  /** The jobs ended in a way that only a person can answer; nothing goes on before their word. */
  readonly stalled: boolean;
  /** Why the branch of a pull request that is there cannot be pushed: a person's to mend; null when it can. */
  readonly pushRefused?: string | null;
  /** What W&B shows of the runs that are under way; null before anything. `asOf`: ISO 8601, UTC. */
  readonly live: { readonly rows: number; readonly asOf: string } | null;
  readonly evidence: Evidence | null;
  readonly decision: Decision | null;
  readonly refused: readonly RefusedDecision[];
  /** What was said in comments and what became of it, oldest first. */
  readonly said: readonly AnsweredWord[];
  /** What the sticky comment asks for, and since when it does. */
  readonly shown?: Shown | null;
  /** A person's word on the quality gate of this head. */
  readonly override: QualityOverride | null;
  readonly mergeSha: string | null;
  readonly note: { readonly path: string; readonly commit: string | null } | null;
  readonly cost: Cost;
  /** Every round of the coding agent, oldest first. */
  readonly changes?: readonly ChangeRecord[];
  /** What was said about the evidence, oldest first. */
  readonly remarks?: readonly Remark[];
  /** What the task note allows; null before there is one, absent in the answer of an older worker. */
  readonly budget?: { readonly gpuHours: number; readonly attempts: number } | null;
  readonly failure: { readonly type: string; readonly message: string } | null;
  readonly links: readonly Link[];
}

export interface Cost {
  readonly gpuHours: number;
  readonly tokens: number;
  /** The tokens by agent and model. */
  readonly models?: readonly ModelUsage[];
}

/** One round of the coding agent: the first change, a repair after the gate's findings, or a revision by the PI. */
export interface ChangeRecord {
  /** 0 is the first. */
  readonly round: number;
  readonly kind: 'first' | 'repair' | 'revision';
  /** What it was asked to mend, or the PI's words; '' for the first. */
  readonly asked: string;
  readonly headSha: string;
  /** What the agent says that it did. */
  readonly summary: string;
  readonly changedPaths: readonly string[];
  /** Files and lines, as git counts them, for example ` 2 files changed, 9 insertions(+)`. */
  readonly size: string;
  readonly tries: readonly ChangeTry[];
}

/** What came of one try of a round. */
export interface ChangeTry {
  readonly outcome: 'accepted' | 'check-failed' | 'outside-paths';
  /** Last words of the check, or what was wrong. */
  readonly detail: string;
}

export interface Link {
  readonly label: string;
  readonly url: string;
}

/** What `ExperimentWorkflow` returns. */
export interface ExperimentResult {
  readonly outcome: Exclude<Outcome, 'failed'>;
  readonly pullRequest: string | null;
  readonly mergeSha: string | null;
  readonly note: string | null;
}
