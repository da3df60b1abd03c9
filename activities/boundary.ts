import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';

import type { FailureType } from '../domain/failure.ts';
import { findDiskFailure } from '../infra/disk-failure.ts';
import { Failure } from '../infra/failure.ts';

type Activity = (input: never) => Promise<unknown>;

/** "Nothing changed yet": expected, many times over, so neither a warning nor a failure metric. */
const benign = new Set<FailureType>([
  'JobUnchanged',
  'RecordsUnchanged',
  'GateUnchanged',
  'NothingSaid',
  'LiveUnchanged',
  'MirrorWaiting',
]);

/**
 * The one place where what clients throw becomes what Temporal understands. Every `createXActivities` returns its
 * activities through this, so that no activity fails with a type that is not in the closed list.
 */
export function guardActivities<T extends { [K in keyof T]: Activity }>(activities: T): T {
  const guarded = Object.entries<Activity>(activities).map(([name, run]) => [
    name,
    async (input: never) => {
      try {
        return await run(input);
      } catch (error) {
        throw await toApplicationFailure(error);
      }
    },
  ]);
  return Object.fromEntries(guarded) as T;
}

/** Cancellation and errors without a name pass through as they are. */
async function toApplicationFailure(error: unknown): Promise<unknown> {
  if (error instanceof Failure) return fromFailure(error);
  const disk = await findDiskFailure(error);
  return disk === null ? error : fromFailure(disk);
}

function fromFailure(failure: Failure): ApplicationFailure {
  return ApplicationFailure.create({
    type: failure.type,
    message: failure.message,
    nonRetryable: !failure.retry,
    ...(benign.has(failure.type) && { category: ApplicationFailureCategory.BENIGN }),
    ...(failure.retryAfterMs !== undefined && { nextRetryDelay: failure.retryAfterMs }),
    ...(failure.cause instanceof Error && { cause: failure.cause }),
  });
}
