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
  constructor() {
    super('Interrupted. What was started goes on; this was only looking.');
    this.name = 'InterruptedError';
  }
}
