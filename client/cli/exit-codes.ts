import { ConfigError } from '../../infra/config/config-error.ts';
import { ClientError, type ClientErrorKind } from '../client-error.ts';
import { EndedBadlyError, InterruptedError, UsageError } from './cli-errors.ts';

/** What the exit codes mean; part of the public contract. */
export const exitCodes = {
  done: 0,
  endedBadly: 1,
  usage: 2,
  notFound: 3,
  refused: 4,
  unreachable: 5,
  interrupted: 130,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

const byKind = {
  'not-found': exitCodes.notFound,
  refused: exitCodes.refused,
  unreachable: exitCodes.unreachable,
} as const satisfies Record<ClientErrorKind, ExitCode>;

/** The exit code of what a command threw; an error that nobody foresaw is a bad end. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof InterruptedError) return exitCodes.interrupted;
  if (error instanceof UsageError || error instanceof ConfigError) return exitCodes.usage;
  return error instanceof ClientError ? byKind[error.kind] : exitCodes.endedBadly;
}

/** Whether the error's message was written for people; of any other the whole stack is worth showing. */
export function isForeseen(error: unknown): error is Error {
  return (
    error instanceof ClientError ||
    error instanceof UsageError ||
    error instanceof ConfigError ||
    error instanceof EndedBadlyError ||
    error instanceof InterruptedError
  );
}
