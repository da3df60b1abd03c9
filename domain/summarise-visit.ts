import type { JanitorReport } from './orphan.ts';

/** One sentence with the counts of a visit. */
export function summariseVisit(report: JanitorReport): string {
  const { looked, owned, stopped, revoked, undecided, dryRun } = report;
  const would = dryRun ? 'would be ' : '';
  return (
    `${looked} open attempts: ${owned} owned, ${stopped} ${would}stopped, ${revoked} ${would}taken back before a job came, ` +
    `${undecided} undecided.`
  );
}
