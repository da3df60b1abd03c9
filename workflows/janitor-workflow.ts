import { continueAsNew, setHandler, workflowInfo } from '@temporalio/workflow';

import type { JanitorInput, JanitorReport } from '../domain/orphan.ts';
import { janitorProgressQuery } from './contract.ts';
import { control, disk } from './janitor-activities.ts';
import { visitPage } from './janitor-page.ts';
import { emptyReport, tellProgress, type Visit } from './janitor-visit.ts';

/** Where a visit stands that goes on in a new history. */
export interface JanitorProgress {
  /** `workflows`: jobs that Temporal knows and the disk may not know any more. */
  readonly at: 'disk' | 'workflows';
  readonly after: string | null;
  readonly report: JanitorReport;
}

/** Attempts in one page: so many take about a hundred events when nothing is wrong with any of them. */
const pageSize = 100;
/** Workflows that ended longer ago have been seen by many visits. */
const lookBackMs = 30 * 86_400_000;

/**
 * Compares the attempts on the shared disk with the running workflows and with the platform, stops the jobs that nobody
 * owns any more, and reports what it cannot decide. The end of the owner is dated by Temporal itself, so the grace
 * period needs no memory of the janitor's own and holds for an attempt whose folder is gone, too.
 *
 * Each visit looks at everything anew, and whatever it does may be done twice.
 */
export async function JanitorWorkflow(
  input: JanitorInput,
  progress?: JanitorProgress,
): Promise<JanitorReport> {
  const report = { ...(progress?.report ?? emptyReport(input.dryRun)) };
  const visit: Visit = { id: workflowInfo().firstExecutionRunId, input, report, words: 'begins' };
  setHandler(janitorProgressQuery, () => visit.words);
  let at = progress?.at ?? 'disk';
  let after = progress?.after ?? null;
  for (;;) {
    after = at === 'disk' ? await visitDisk(visit, after) : await visitWorkflows(visit, after);
    if (after === null && at === 'workflows') break;
    if (after === null) at = 'workflows';
    if (workflowInfo().continueAsNewSuggested) {
      await continueAsNew<typeof JanitorWorkflow>(input, { at, after, report: visit.report });
    }
  }
  tellProgress(visit, 'done');
  return visit.report;
}

async function visitDisk(visit: Visit, after: string | null): Promise<string | null> {
  tellProgress(visit, `looking for attempts on the shared disk${after === null ? '' : ` after ${after}`}`);
  const page = await disk.listOpenAttempts.executeWithOptions(
    { summary: after === null ? 'attempts without an end' : `attempts without an end, after ${after}` },
    [{ after, limit: pageSize }],
  );
  if (page.attempts.length > 0) await visitPage(visit, page.attempts);
  return page.next;
}

/** Jobs whose attempt was deleted from the disk, which only Temporal still knows. */
async function visitWorkflows(visit: Visit, after: string | null): Promise<string | null> {
  tellProgress(visit, 'looking for jobs of ended workflows in Temporal');
  const since = new Date(Date.now() - lookBackMs).toISOString();
  const page = await control.listClosedJobs.executeWithOptions({ summary: 'jobs of ended workflows' }, [
    { since, after, limit: pageSize },
  ]);
  if (page.keys.length === 0) return page.next;
  const sights = await disk.lookAtAttempts.executeWithOptions(
    { summary: 'which of them the disk still knows' },
    [page.keys.map((key) => ({ ...key, jobId: null }))],
  );
  const missing = sights.filter(({ status }) => status === 'missing');
  if (missing.length > 0) await visitPage(visit, missing);
  return page.next;
}
