/** Why a worker did not start: `configuration` for a person to mend here, `unreachable` for a system that is away. */
export class WorkerStartError extends Error {
  readonly kind: 'configuration' | 'unreachable';

  constructor(kind: 'configuration' | 'unreachable', message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'WorkerStartError';
    this.kind = kind;
  }
}
