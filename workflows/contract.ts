import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';

import type { DecisionKind, DecisionRequest } from '../domain/decision.ts';
import type { DecisionAnswer } from '../domain/decide-decision.ts';
import type { ExperimentStatus } from '../domain/experiment.ts';
import type { JobState } from '../domain/job.ts';

/** One queue for each system behind one zone; the zone's worker polls it. */
export const queues = {
  experiments: 'experiments',
  planning: 'planning',
  github: 'github',
  qizhi: 'qizhi',
  networked: 'networked',
  wandb: 'wandb',
} as const;

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
}

/** What a job's workflow tells its experiment. */
export interface JobProgress {
  readonly seed: number;
  readonly state: 'submitting' | 'unknown-submission' | JobState | 'syncing' | 'synced' | 'lost';
  readonly detail: string;
  readonly jobId: string | null;
  readonly gpuHours: number;
}

export const decisionSignals = {
  merge: defineSignal<[DecisionPayload?]>('merge'),
  reject: defineSignal<[DecisionPayload?]>('reject'),
  stop: defineSignal<[DecisionPayload?]>('stop'),
  revise: defineSignal<[DecisionPayload?]>('revise'),
  rerun: defineSignal<[DecisionPayload?]>('rerun'),
} as const satisfies Record<DecisionKind, unknown>;

export const qualitySignal = defineSignal<[QualityPayload?]>('quality');

/** A webhook's "look again"; the delivery id makes a redelivery change nothing. */
export const nudgeSignal = defineSignal<[{ readonly delivery?: string }?]>('nudge');

/** From a job's workflow to its experiment, not for people. */
export const jobProgressSignal = defineSignal<[JobProgress]>('jobProgress');

/** The same decisions, answered or refused at once with the reason. */
export const decideUpdate = defineUpdate<DecisionAnswer, [DecisionRequest]>('decide');

export const statusQuery = defineQuery<ExperimentStatus>('status');

/** What a visit of the janitor is at, in words. */
export const janitorProgressQuery = defineQuery<string>('janitorProgress');
