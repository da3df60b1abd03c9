import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';

import type { DecisionKind, DecisionRequest } from '../domain/decision.ts';
import type { DecisionAnswer } from '../domain/decide-decision.ts';
import type { QualityRequest } from '../domain/decide-quality.ts';
import type { SettleRequest } from '../domain/decide-settle.ts';
import type { Material } from '../domain/material.ts';
import type { Remark } from '../domain/remark.ts';
import type { Results } from '../domain/evidence.ts';
import type { ExperimentStatus, JobStatus } from '../domain/experiment.ts';

/** One queue for each system behind one zone; the zone's worker polls it. */
export const queues = {
  experiments: 'experiments',
  planning: 'planning',
  github: 'github',
  qizhi: 'qizhi',
  networked: 'networked',
  wandb: 'wandb',
  notifications: 'notifications',
} as const;

/**
 * For so long Temporal waits for a worker that has a step of an experiment in hand before it gives that to another: where a
 * worker was killed, nothing goes on before. Its own default is 10 s; a step takes a tenth of a second, a few on a machine
 * that is overloaded.
 */
export const stepTimeout = '7 seconds';

/** Searchable in the Temporal Web UI and by `hephaestus list`. */
export const searchAttributes = {
  phase: defineSearchAttributeKey('HephaestusPhase', SearchAttributeType.KEYWORD),
  repository: defineSearchAttributeKey('HephaestusRepository', SearchAttributeType.KEYWORD),
  pullRequest: defineSearchAttributeKey('HephaestusPullRequest', SearchAttributeType.KEYWORD),
  jobIds: defineSearchAttributeKey('HephaestusJobIds', SearchAttributeType.KEYWORD_LIST),
  outcome: defineSearchAttributeKey('HephaestusOutcome', SearchAttributeType.KEYWORD),
  gpuHours: defineSearchAttributeKey('HephaestusGpuHours', SearchAttributeType.DOUBLE),
} as const;

/** What a decision signal carries; from the Web UI it may be empty, or anything at all. */
export interface DecisionPayload {
  readonly by?: string;
  readonly head?: string;
  readonly reason?: string;
  readonly instructions?: string;
  readonly seeds?: readonly number[];
}

export interface QualityPayload {
  readonly by?: string;
  readonly verdict?: 'pass' | 'block';
  readonly reason?: string;
  readonly head?: string;
}

/** What a webhook's *look again* carries. Without `about` everything is looked at. */
export interface NudgePayload {
  readonly delivery?: string;
  readonly about?: 'review' | 'conversation';
}

/** What a job's workflow tells its experiment. */
export interface JobProgress {
  readonly attempt: number;
  readonly seed: number;
  readonly state: JobStatus['state'];
  readonly detail: string;
  readonly jobId: string | null;
  readonly question: string | null;
  readonly gpuHours: number;
  /** GPUs that it holds now, 0 while it holds none. */
  readonly gpus: number;
}

/** From an experiment to the workflow of a job: a person's answer about its submission. */
export interface JobSettled {
  readonly by: string;
  readonly jobId: string | null;
}

/** What a `settle` signal carries; from the Web UI it may be anything at all. `jobId: null` says that there is none. */
export interface SettlePayload {
  readonly by?: string;
  readonly seed?: number;
  readonly jobId?: string | null;
}

export const decisionSignals = {
  merge: defineSignal<[DecisionPayload?]>('merge'),
  reject: defineSignal<[DecisionPayload?]>('reject'),
  stop: defineSignal<[DecisionPayload?]>('stop'),
  revise: defineSignal<[DecisionPayload?]>('revise'),
  rerun: defineSignal<[DecisionPayload?]>('rerun'),
} as const satisfies Record<DecisionKind, unknown>;

export const qualitySignal = defineSignal<[QualityPayload?]>('quality');

/** The same, answered or refused at once with the reason. */
export const qualityUpdate = defineUpdate<DecisionAnswer, [QualityRequest]>('quality');

/** A webhook's "look again"; the delivery id makes a redelivery change nothing. */
export const nudgeSignal = defineSignal<[NudgePayload?]>('nudge');

/** From a job's workflow to its experiment, not for people. */
export const jobProgressSignal = defineSignal<[JobProgress]>('jobProgress');

/** The same decisions, answered or refused at once with the reason. */
export const decideUpdate = defineUpdate<DecisionAnswer, [DecisionRequest]>('decide');

/** A person's answer to a submission that could not be settled. */
export const settleSignal = defineSignal<[SettlePayload?]>('settle');

/** The same, answered or refused at once with the reason. */
export const settleUpdate = defineUpdate<DecisionAnswer, [SettleRequest]>('settle');

/** From an experiment to the workflow of one of its jobs, not for people. */
export const jobSettledSignal = defineSignal<[JobSettled]>('jobSettled');

/** A question about the evidence and its answer, kept for the permanent note. */
export const remarkSignal = defineSignal<[Remark?]>('remark');

/** Everything that a discussion of the results needs. */
export const materialQuery = defineQuery<Material>('material');

export const statusQuery = defineQuery<ExperimentStatus>('status');

/** What one sweep over the shared disk, the result of `SweepWorkflow`, has found and begun. */
export interface SweepReport {
  readonly runs: number;
  readonly begun: number;
  /** Runs that somebody brings up already. */
  readonly underWay: number;
  /** Runs that only a person can help, by their folder on the shared disk. */
  readonly quarantined: readonly {
    readonly folder: string;
    readonly reason: string;
    readonly cure: string;
  }[];
}

/** The curves as they stand. `asOf`: when they were read while jobs still trained, ISO 8601; null for those of the evidence. */
export interface ExperimentCurves {
  readonly title: string;
  readonly metric: { readonly name: string; readonly goal: 'minimize' | 'maximize' };
  readonly results: Results;
  readonly asOf: string | null;
}

/** Null while there is nothing to draw. */
export const curvesQuery = defineQuery<ExperimentCurves | null>('curves');

/** What a visit of the janitor is at, in words. */
export const janitorProgressQuery = defineQuery<string>('janitorProgress');
