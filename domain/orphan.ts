import type { JobState } from './job.ts';

/** Who waits for a job, by Temporal. Times are ms since the epoch, UTC. */
export type JobOwner =
  /** Its workflow runs, or the experiment that is about to start it. */
  | { readonly status: 'owned'; readonly by: string }
  /** Its workflow, and with it the last one that would have stopped it, has ended. */
  | { readonly status: 'closed'; readonly since: number; readonly how: string }
  /** Temporal holds no workflow for it: it was deleted, or another installation uses the same disk. */
  | { readonly status: 'unknown' }
  /** Its workflow has ended and created another job: whoever claimed the attempt is not from here. */
  | { readonly status: 'stranger'; readonly created: readonly string[] };

/** What the platform says of a job. */
export type PlatformSight =
  /** No job id is known: either none was created, or it has not claimed its attempt yet. */
  | { readonly status: 'no-job' }
  /** The claim holds a name that is no id of the platform: a host name that did not contain one. */
  | { readonly status: 'no-id' }
  | { readonly status: 'unasked'; readonly why: string }
  | { readonly status: 'gone' }
  | {
      readonly status: 'seen';
      readonly state: JobState;
      readonly rawStatus: string;
      /** The process has ended, but the GPUs are still held. */
      readonly reserving: boolean;
    };

/**
 * What the shared disk says of a job. `absent`: it has written nothing (it queues, or its attempt's folder was deleted).
 * `alive`: its heartbeat moved between two looks; `silent`: it did not. `deaf`: it goes on although the janitor asked it
 * by the disk to end at an earlier visit.
 */
export const diskWords = ['absent', 'alive', 'silent', 'deaf'] as const;
export type DiskWord = (typeof diskWords)[number];

/** What is to be done about one job of one attempt. */
export type OrphanDecision =
  /** `settled`: it need not be looked at again until something new stands on the disk. */
  | { readonly action: 'leave'; readonly settled: boolean; readonly why: string }
  | { readonly action: 'stop'; readonly by: 'platform' | 'disk'; readonly why: string }
  /** Takes the attempt's claim away, so that a job that still comes leaves at once. */
  | { readonly action: 'revoke'; readonly why: string }
  /** Only a person can tell. `todo`: what they can do. */
  | { readonly action: 'report'; readonly why: string; readonly todo: string };
export type OrphanAction = OrphanDecision['action'];

/** One job that the janitor looked at and what came of it. */
export interface JanitorFinding {
  /** `experiment/attempt/seed`. */
  readonly attempt: string;
  readonly jobId: string | null;
  /** The platform's own word, or in brackets why there is none. */
  readonly platform: string;
  readonly action: OrphanAction;
  /** False in a dry run, and where the act did not come through: `why` then says so. */
  readonly done: boolean;
  readonly why: string;
  /** What a person should do; '' when nothing. */
  readonly todo: string;
}

/** One visit of the janitor. */
export interface JanitorReport {
  readonly dryRun: boolean;
  /** Attempts without an end on the shared disk, and jobs whose attempt is gone from it. */
  readonly looked: number;
  readonly owned: number;
  readonly stopped: number;
  readonly revoked: number;
  /** How many need a person. */
  readonly undecided: number;
  /** Without those that have an owner; at most as many as a report can carry. */
  readonly findings: readonly JanitorFinding[];
  /** How many findings more there were. */
  readonly omitted: number;
}

export interface JanitorInput {
  /** Only tells what would be done: nothing is stopped, nothing is written. */
  readonly dryRun: boolean;
  /** How long a job may be without an owner: a workflow that is being started again gets it back. */
  readonly graceMinutes: number;
  /** Seconds between two looks at a heartbeat; longer than the start script lets pass between two beats. */
  readonly heartbeatSeconds?: number;
}
