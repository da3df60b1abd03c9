import type { Environment } from '../infra/env.ts';
import type { Config } from '../infra/config/config.ts';
import type { Tools } from '../infra/tools/ensure-tools.ts';
import type { queues } from '../workflows/contract.ts';

export type QueueName = keyof typeof queues;

/** What one queue's worker runs. */
export interface QueueActivities {
  readonly queue: QueueName;
  readonly activities: object;
  /** Activities at one time in this process; what the outside system, the disk or the memory bears. */
  readonly concurrency: number;
  /** The most that begin in a second, in all processes that serve this queue together. */
  readonly activitiesPerSecond?: number;
}

export interface ZoneContext {
  readonly config: Config;
  readonly tools: Tools;
  /** The environment of this process; programs that are started get an allowlisted part of it. */
  readonly environment: Environment;
}
