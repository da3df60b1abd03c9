import { counts } from '../counts.ts';

/** What happened in a run, in counts, and what was wrong: nothing, if `problems` is empty. */
export interface ChaosReport {
  readonly problems: readonly string[];
  readonly seconds: number;
  readonly experiments: number;
  readonly slowestSeconds: number;
  readonly outcomes: Readonly<Record<string, number>>;
  /** Decisions that were refused, with a reason, and could be given again. */
  readonly refused: number;
  readonly meddled: Readonly<Record<string, number>>;
  /** Words said below pull requests. */
  readonly comments: number;
  /** How often the PI's looks and words did not get through. */
  readonly unanswered: number;
  readonly kills: number;
  readonly faults: Readonly<Record<string, number>>;
}

export function describeChaos(report: ChaosReport): string {
  const lines = [
    `${report.experiments} experiments in ${report.seconds.toFixed(0)} s (the slowest ${report.slowestSeconds.toFixed(0)} s): ${counts(report.outcomes)}`,
    `people: ${counts(report.meddled)}; ${report.comments} words in comments; ${report.refused} decisions refused with a reason; ${report.unanswered} times nobody answered them`,
    `${report.kills} workers killed; faults met: ${counts(report.faults)}`,
    ...report.problems.map((problem) => `WRONG ${problem}`),
    report.problems.length === 0
      ? 'exactly one pull request and one sticky comment each, at most one merge, of the head that was shown'
      : `${report.problems.length} things are wrong`,
  ];
  return lines.join('\n');
}
