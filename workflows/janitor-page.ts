import { isCancellation, sleep } from '@temporalio/workflow';

import { decideOrphan, judgeOwner } from '../domain/decide-orphan.ts';
import type { OrphanDecision, PlatformSight } from '../domain/orphan.ts';
import type { AttemptSight, DecisionRecord } from '../activities/janitor/interface.ts';
import { namedFailure } from './failures.ts';
import { attemptActs, control, disk, platformActs } from './janitor-activities.ts';
import {
  diskWord,
  findSuspects,
  isClaimant,
  isMature,
  withoutAsking,
  type Suspect,
} from './janitor-suspects.ts';
import { keyOf } from './job-key.ts';
import { addFinding, tellProgress, type Acted, type Visit } from './janitor-visit.ts';

/** The start script beats every 15 seconds; a network file system may show a beat late. */
const defaultHeartbeatSeconds = 45;
const msPerMinute = 60_000;

/** A suspect with everything that was found out, and what is to be done. */
interface Judged {
  readonly suspect: Suspect;
  readonly later: AttemptSight;
  readonly platform: PlatformSight;
  readonly decision: OrphanDecision;
}

/** Judges the attempts of one page, and does what has to be done. */
export async function visitPage(visit: Visit, sights: readonly AttemptSight[]): Promise<void> {
  const { report, input } = visit;
  const graceMs = input.graceMinutes * msPerMinute;
  report.looked += sights.length;
  tellProgress(visit, `asking Temporal who owns ${sights.length} attempts`);
  const suspects = await findSuspects(sights);
  const mature: Suspect[] = [];
  for (const suspect of suspects) {
    const early = judgeOwner(suspect.owner, Date.now(), graceMs);
    if (early === null) mature.push(suspect);
    else if (suspect.owner.status === 'owned') report.owned += 1;
    else addFinding(visit, suspect, null, early, null);
  }
  if (mature.length === 0) return;
  const judged = await judge(visit, mature, graceMs);
  await carryOut(visit, judged, graceMs);
}

async function judge(visit: Visit, suspects: readonly Suspect[], graceMs: number): Promise<Judged[]> {
  const seconds = visit.input.heartbeatSeconds ?? defaultHeartbeatSeconds;
  if (suspects.some(isClaimant)) {
    tellProgress(
      visit,
      `waiting ${seconds} seconds to see which jobs of nobody still write to the shared disk`,
    );
    await sleep(`${seconds} seconds`, { summary: 'between two looks at the heartbeats' });
  }
  const laterSights = await disk.lookAtAttempts.executeWithOptions(
    { summary: 'looks at the attempts again' },
    [suspects.map(({ key, jobId }) => ({ ...key, jobId }))],
  );
  // What has ended, was taken back or is settled by now is never touched.
  const open = suspects.flatMap((suspect, index) => {
    const later = laterSights[index];
    return later?.status === 'open' || later?.status === 'missing' ? [{ suspect, later }] : [];
  });
  tellProgress(visit, `asking the platform about ${open.length} jobs of nobody`);
  const platforms = await askPlatform(open.map(({ suspect }) => suspect));
  const now = Date.now();
  return open.flatMap(({ suspect, later }, index) => {
    const platform = platforms[index];
    if (platform === undefined) return [];
    const evidence = { owner: suspect.owner, platform, disk: diskWord(suspect, later), now, graceMs };
    return [{ suspect, later, platform, decision: decideOrphan(evidence) }];
  });
}

async function askPlatform(suspects: readonly Suspect[]): Promise<PlatformSight[]> {
  const jobIds = suspects.flatMap((suspect) =>
    withoutAsking(suspect) === null ? (suspect.jobId ?? []) : [],
  );
  if (jobIds.length === 0) return suspects.flatMap((suspect) => withoutAsking(suspect) ?? []);
  const answers = await control.observeJobs.executeWithOptions(
    { summary: `asks about ${jobIds.length} jobs` },
    [{ jobIds }],
  );
  return suspects.map((suspect): PlatformSight => {
    const answer = answers[jobIds.indexOf(suspect.jobId ?? '')];
    return withoutAsking(suspect) ?? answer ?? { status: 'unasked', why: 'it gave no answer about this job' };
  });
}

async function carryOut(visit: Visit, judged: readonly Judged[], graceMs: number): Promise<void> {
  if (visit.input.dryRun) {
    for (const { suspect, platform, decision } of judged)
      addFinding(visit, suspect, platform, decision, null);
    return;
  }
  const acts = judged.filter(({ decision }) => decision.action === 'stop' || decision.action === 'revoke');
  const stillOrphans = await confirm(acts, graceMs);
  // Written before it is done: whoever finds a job stopped must find the reason, whatever ends this visit.
  await record(
    visit,
    acts
      .filter(({ suspect }) => stillOrphans.has(nameOf(suspect)))
      .map((each) => recordOf({ each, acted: null }, false)),
  );
  if (acts.length > 0) tellProgress(visit, `stopping ${acts.length} jobs of nobody`);
  const results = await Promise.all(
    judged.map(async (each): Promise<Result> => {
      if (!acts.includes(each)) return { each, acted: null };
      if (stillOrphans.has(nameOf(each.suspect))) return { each, acted: await act(each) };
      return { each: { ...each, decision: changed }, acted: null };
    }),
  );
  const unsettled = new Set(results.filter((result) => !isSettled(result)).map(({ each }) => placeOf(each)));
  await record(
    visit,
    results.map((result) => recordOf(result, !unsettled.has(placeOf(result.each)))),
  );
  for (const { each, acted } of results) addFinding(visit, each.suspect, each.platform, each.decision, acted);
}

interface Result {
  readonly each: Judged;
  /** Null when nothing was to be done. */
  readonly acted: Acted | null;
}

const changed: OrphanDecision = {
  action: 'leave',
  settled: false,
  why: 'something changed while it was looked at: the next visit judges it anew',
};

/** A workflow may have been started again while the platform was asked: stopping cannot be taken back. */
async function confirm(acts: readonly Judged[], graceMs: number): Promise<ReadonlySet<string>> {
  const again = await findSuspects(acts.map(({ later }) => later));
  return new Set(again.filter((suspect) => isMature(suspect, Date.now(), graceMs)).map(nameOf));
}

async function act({ suspect: { key, jobId }, later, decision }: Judged): Promise<Acted> {
  try {
    if (decision.action === 'revoke') {
      const { claimedBy } = await attemptActs.revokeAttempt(key);
      return { failure: claimedBy === null ? null : `${claimedBy} has claimed it at this moment` };
    }
    if (decision.action === 'stop' && decision.by === 'disk') await attemptActs.requestStop(key);
    if (decision.action === 'stop' && decision.by === 'platform' && jobId !== null) {
      const { state } = await platformActs.stopJob.executeWithOptions({ summary: `stops ${jobId}` }, [
        { jobId },
      ]);
      if (state === 'gone' && later.claimedBy === jobId) await attemptActs.requestStop(key);
    }
    return { failure: null };
  } catch (error) {
    if (isCancellation(error)) throw error;
    const { type, message } = namedFailure(error);
    return { failure: `${type}: ${message}` };
  }
}

/** Whether the job need not be looked at again while nothing new stands on the disk. */
function isSettled({ each: { decision }, acted }: Result): boolean {
  switch (decision.action) {
    case 'leave':
      return decision.settled;
    case 'stop':
      return decision.by === 'platform' && acted?.failure === null;
    case 'revoke':
      return acted?.failure === null;
    case 'report':
      return false;
  }
}

function recordOf({ each, acted }: Result, settled: boolean): DecisionRecord {
  const { suspect, later, decision } = each;
  const failure = acted?.failure ?? null;
  return {
    ...suspect.key,
    jobId: suspect.jobId,
    action: decision.action,
    by: decision.action === 'stop' ? decision.by : null,
    why: failure === null ? decision.why : `${decision.why}; it could not be done: ${failure}`,
    outcome: acted === null ? 'decided' : failure === null ? 'done' : 'failed',
    settled: settled ? { claimedBy: later.claimedBy, beat: later.beat } : null,
  };
}

async function record(visit: Visit, records: readonly DecisionRecord[]): Promise<void> {
  if (records.length === 0) return;
  await disk.recordDecisions.executeWithOptions({ summary: `writes down ${records.length} decisions` }, [
    { visit: visit.id, at: new Date(Date.now()).toISOString(), records },
  ]);
}

function nameOf({ key, jobId }: Suspect): string {
  return JSON.stringify([keyOf(key), jobId]);
}

/** All jobs of an attempt share its record; without a folder each has its own. */
function placeOf({ suspect, later }: Judged): string {
  return later.status === 'missing' ? nameOf(suspect) : JSON.stringify(keyOf(suspect.key));
}
