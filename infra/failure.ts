import { failureTypes, type FailureType } from '../domain/failure.ts';

export interface FailureOptions {
  readonly cause?: unknown;
  /** Milliseconds after which trying again makes sense, when the outside system said so. */
  readonly retryAfterMs?: number;
  /** Where a type that is final elsewhere is waited out: whoever watches a job goes on after a person has mended the cause. */
  readonly retry?: true;
}

/**
 * What every client in `infra` throws when something went wrong that has a name. `message` gives the value, what was
 * expected and what to do; it never holds a secret. The activity boundary turns it into an `ApplicationFailure`, the
 * CLI into an exit code.
 */
export class Failure extends Error {
  readonly type: FailureType;
  readonly retryAfterMs: number | undefined;
  readonly retry: boolean;

  constructor(type: FailureType, message: string, options: FailureOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Failure';
    this.type = type;
    this.retryAfterMs = options.retryAfterMs;
    this.retry = options.retry === true || failureTypes[type] === 'retry';
  }
}
