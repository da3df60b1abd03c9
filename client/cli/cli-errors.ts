/** The command was given something that it cannot use; the message says what and what is expected. */
export class UsageError extends Error {
  /** Each thing that is wrong, for `--json`. */
  readonly problems: readonly object[];

  constructor(message: string, problems: readonly object[] = []) {
    super(message);
    this.name = 'UsageError';
    this.problems = problems;
  }
}

/** The person pressed Ctrl-C. */
export class InterruptedError extends Error {
  constructor(message = 'Interrupted. What was started goes on; this was only looking.') {
    super(message);
    this.name = 'InterruptedError';
  }
}

/** The command could not do its work, for a reason that was foreseen; the message says what to do. */
export class EndedBadlyError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'EndedBadlyError';
  }
}
