import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';

import { failureTypes, type FailureType } from '../domain/failure.ts';
import { Failure } from '../infra/failure.ts';

type Activity = (input: never) => Promise<unknown>;

/** "Nothing changed yet": expected, many times over, so neither a warning nor a failure metric. */
const benign = new Set<FailureType>(['JobUnchanged', 'RecordsUnchanged', 'GateUnchanged']);

const diskErrors: Readonly<Record<string, FailureType>> = {
  ENOSPC: 'SharedDiskFull',
  EDQUOT: 'SharedDiskFull',
  EROFS: 'SharedDiskReadOnly',
  EACCES: 'SharedDiskReadOnly',
  EIO: 'SharedDiskUnavailable',
  ESTALE: 'SharedDiskUnavailable',
};

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
        throw toApplicationFailure(error);
      }
    },
  ]);
  return Object.fromEntries(guarded) as T;
}

/** Cancellation and errors without a name pass through as they are. */
function toApplicationFailure(error: unknown): unknown {
  if (error instanceof Failure) return fromFailure(error);
  const type = diskErrors[errorCode(error)];
  if (type === undefined || !(error instanceof Error)) return error;
  return fromFailure(new Failure(type, error.message, { cause: error }));
}

function fromFailure(failure: Failure): ApplicationFailure {
  return ApplicationFailure.create({
    type: failure.type,
    message: failure.message,
    nonRetryable: failureTypes[failure.type] === 'final',
    ...(benign.has(failure.type) && { category: ApplicationFailureCategory.BENIGN }),
    ...(failure.retryAfterMs !== undefined && { nextRetryDelay: failure.retryAfterMs }),
    ...(failure.cause instanceof Error && { cause: failure.cause }),
  });
}

function errorCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}
