import { setCurrentDetails } from '@temporalio/workflow';

import { attemptKey } from '../domain/ids.ts';
import type {
  JanitorFinding,
  JanitorInput,
  JanitorReport,
  OrphanDecision,
  PlatformSight,
} from '../domain/orphan.ts';
import type { Suspect } from './janitor-suspects.ts';
import { presentJanitor } from './present-janitor.ts';

/** One visit: what it was asked for, and what it has found so far. */
export interface Visit {
  readonly id: string;
  readonly input: JanitorInput;
  readonly report: { -readonly [K in keyof JanitorReport]: JanitorReport[K] };
  /** For people: what it is at. */
  words: string;
}

/** A report is shown in a page and stored whole; what is more is counted. */
const mostFindings = 300;

export function emptyReport(dryRun: boolean): JanitorReport {
  return { dryRun, looked: 0, owned: 0, stopped: 0, revoked: 0, undecided: 0, findings: [], omitted: 0 };
}

/** What came of acting: `failure` is null when it came through. */
export interface Acted {
  readonly failure: string | null;
}

/** Adds one job to the report. */
export function addFinding(
  { report }: Visit,
  { key, jobId }: Suspect,
  platform: PlatformSight | null,
  decision: OrphanDecision,
  acted: Acted | null,
): void {
  const failure = acted?.failure ?? null;
  const done = acted !== null && failure === null;
  if (decision.action === 'stop') report.stopped += done || report.dryRun ? 1 : 0;
  if (decision.action === 'revoke') report.revoked += done || report.dryRun ? 1 : 0;
  if (decision.action === 'report' || failure !== null) report.undecided += 1;
  const todo = decision.action === 'report' ? decision.todo : '';
  const finding: JanitorFinding = {
    attempt: attemptKey(key.experimentId, key.attempt, key.seed),
    jobId,
    platform: platformWord(platform),
    action: decision.action,
    done,
    why: failure === null ? decision.why : `${decision.why}; it could not be done: ${failure}`,
    todo: failure === null ? todo : 'mend the cause; the next visit tries again',
  };
  if (report.findings.length < mostFindings) report.findings = [...report.findings, finding];
  else report.omitted += 1;
}

/** Says in the Web UI, and to whoever asks, what the visit is at. */
export function tellProgress(visit: Visit, words: string): void {
  visit.words = words;
  setCurrentDetails(presentJanitor(visit.report, words));
}

function platformWord(platform: PlatformSight | null): string {
  switch (platform?.status) {
    case undefined:
      return '(not asked)';
    case 'seen':
      return platform.rawStatus;
    case 'gone':
      return '(unknown there)';
    case 'no-job':
      return '(no job known)';
    case 'no-id':
      return '(no id to ask by)';
    case 'unasked':
      return '(cannot be asked)';
  }
}
