/** One thing wrong with the configuration. */
export interface ConfigProblem {
  readonly key: string;
  /** What stands there; of a secret only its shape, never its value. */
  readonly found: string;
  readonly expected: string;
  /** What to do, as a sentence without a full stop; '' when `expected` says it all. */
  readonly todo: string;
}

/** The configuration cannot be used; `problems` holds everything that is wrong with it, not only the first thing. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ key, found, expected, todo }) => {
      return `  ${key}: found ${found}, expected ${expected}${todo === '' ? '' : `; ${todo}`}`;
    });
    super(`The configuration has ${count(problems.length)}:\n${lines.join('\n')}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

function count(problems: number): string {
  return problems === 1 ? '1 problem' : `${problems} problems`;
}
