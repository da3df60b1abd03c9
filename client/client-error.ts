/**
 * - `not-found`: no such experiment
 * - `refused`: it exists, but this may not be done to it now
 * - `unreachable`: Temporal, or any worker behind it, gave no answer
 */
export type ClientErrorKind = 'not-found' | 'refused' | 'unreachable';

/** What the typed client throws; the message says what to do. The CLI makes an exit code of `kind`, a server a status. */
export class ClientError extends Error {
  readonly kind: ClientErrorKind;

  constructor(kind: ClientErrorKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ClientError';
    this.kind = kind;
  }
}
