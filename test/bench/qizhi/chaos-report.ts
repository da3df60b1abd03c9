import { counts } from '../counts.ts';
import type { LabStats } from './lab-client.ts';

/** What happened in a run, in counts, and what was wrong: nothing, if `problems` is empty. */
export interface ChaosReport {
  readonly problems: readonly string[];
  readonly seconds: number;
  readonly experiments: number;
  readonly slowestSeconds: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly attempts: number;
  /** By the answer to each attempt's create request. */
  readonly submissions: Readonly<Record<string, number>>;
  /** By who settled each unknown submission. */
  readonly settled: Readonly<Record<string, number>>;
  readonly answers: { readonly exists: number; readonly none: number };
  readonly words: { readonly again: number; readonly gaveUp: number };
  /** How often the PI's looks and words did not get through. */
  readonly unanswered: number;
  readonly doubled: number;
  readonly turnedAway: number;
  readonly kills: number;
  readonly mostEvents: number;
  readonly lab: LabStats;
  readonly faults: Readonly<Record<string, number>>;
}

export function describeChaos(report: ChaosReport): string {
  const { lab } = report;
  const lines = [
    `${report.experiments} experiments in ${report.seconds.toFixed(0)} s (the slowest ${report.slowestSeconds.toFixed(0)} s): ${counts(report.outcomes)}`,
    `${report.attempts} attempts; create was ${counts(report.submissions)}`,
    `unknown submissions settled by ${counts(report.settled)}; the PI said ${report.answers.exists} times that the job exists, ` +
      `${report.answers.none} times that there is none`,
    `without evidence the PI said ${report.words.again} times again and gave up ${report.words.gaveUp} times; ${report.unanswered} times nobody answered them`,
    `${lab.jobs} jobs on the platform, ${report.doubled} of them by create requests that were delivered twice; ` +
      `${report.turnedAway} jobs turned away by the claim`,
    `${report.kills} workers killed; longest history of a job ${report.mostEvents} events`,
    `requests: ${lab.create} create, ${lab.detail} detail, ${lab.stop} stop, ${lab.token} login`,
    `faults met: ${counts(report.faults)}`,
    ...report.problems.map((problem) => `WRONG ${problem}`),
    report.problems.length === 0
      ? 'exactly one training for each attempt, every outcome right, nothing left running'
      : `${report.problems.length} things are wrong`,
  ];
  return lines.join('\n');
}
