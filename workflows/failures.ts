import {
  ActivityFailure,
  ApplicationFailure,
  ChildWorkflowFailure,
  isCancellation,
  log,
  TimeoutFailure,
} from '@temporalio/workflow';

import type { FailureType } from '../domain/failure.ts';

export interface NamedFailure {
  readonly type: string;
  readonly message: string;
  readonly details?: readonly unknown[];
}

/** The named failure inside whatever an activity or a child workflow threw. */
export function namedFailure(error: unknown): NamedFailure {
  let current: unknown = error;
  while (current instanceof ActivityFailure || current instanceof ChildWorkflowFailure)
    current = current.cause;
  if (current instanceof ApplicationFailure)
    return { type: current.type ?? 'Unnamed', message: current.message, details: current.details ?? [] };
  if (current instanceof TimeoutFailure) {
    const last = current.cause === undefined ? null : namedFailure(current.cause);
    return last ?? { type: 'Timeout', message: `no answer in time (${current.timeoutType})` };
  }
  return { type: 'Unnamed', message: current instanceof Error ? current.message : String(current) };
}

/** `details` come back from `namedFailure` in whichever workflow the failure arrives. */
export function failWith(
  type: FailureType,
  message: string,
  details: readonly unknown[] = [],
): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: true, details: [...details] });
}

/** The same failure once more, with words added for whoever reads it at the end. */
export function withMore({ type, message, details }: NamedFailure, more: string): ApplicationFailure {
  return ApplicationFailure.create({
    type,
    message: `${message}\n${more}`,
    nonRetryable: true,
    details: [...(details ?? [])],
  });
}

/** True when an activity died before it could say what it did: whatever it was doing may or may not have happened. */
export function isUnanswered(error: unknown): boolean {
  return error instanceof ActivityFailure && error.cause instanceof TimeoutFailure;
}

/** True for failures of that type, however deep inside an activity's or a child's failure. */
export function isFailure(error: unknown, ...types: FailureType[]): boolean {
  return (types as string[]).includes(namedFailure(error).type);
}

/** Does what would be good to have but must not end an experiment when it fails; the failure is logged. */
export async function tried(what: string, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn(`${what} failed, the experiment goes on`, { ...namedFailure(error) });
  }
}
