import { dirname, join, relative } from 'node:path';

import { activityInfo, cancellationSignal } from '@temporalio/activity';

import type { RunState } from '../../domain/run-state.ts';
import { Failure } from '../../infra/failure.ts';
import { findRuns } from '../../infra/wandb/find-runs.ts';
import { groupRuns } from '../../infra/wandb/group-runs.ts';
import { RunIndex } from '../../infra/wandb/run-index.ts';
import { RunMemory, tendRun } from '../../infra/wandb/tend-run.ts';
import { readJanitorRecord, recordInFolder } from '../janitor/decision-record.ts';
import { lookAtRecords, readClaim } from '../attempts/read-records.ts';
import { readIfThere } from '../attempts/shared-disk.ts';
import type { FoundStrays, StrayRun, TendedRun } from './interface.ts';
import type { WandbTools } from './wandb-tools.ts';

/** The runs of experiments have an owner: see `isOwned`. */
const experiments = 'experiments';
/** Between two looks at a living run of nobody. */
const pollMs = 15_000;

/** Runs on the shared disk that are not known to be on the server; the small ones first, so that none waits for a big one. */
export async function findStrays(tools: WandbTools, limit: number): Promise<FoundStrays> {
  const { sharedDir } = tools;
  const signal = cancellationSignal();
  // Asked once for all: a key that is not accepted must not be tried again for each run.
  await tools.deliver.client.defaultEntity(signal);
  const index = await RunIndex.open(tools.indexDir, sharedDir);
  const isSettled = (folder: string): boolean => index.isSettled(folder);
  const { runs, settled } = await findRuns(sharedDir, { isSettled, signal });
  const open = [];
  for (const run of runs) {
    if (!(await index.isUnchanged(run.folder, run.log)) && !(await isOwned(sharedDir, run.folder)))
      open.push(run);
  }
  const groups = await groupRuns(open);
  const strays: StrayRun[] = [];
  for (const { runId, run, logs, copies, rivals } of groups.toSorted((a, b) => a.size - b.size)) {
    const main = logs[0] ?? '';
    for (const log of copies) await settleCopy(index, log, main);
    for (const log of rivals) await settleRival(index, log, main);
    if (run === null) continue;
    const names = logs.map((log) => relative(sharedDir, log));
    strays.push({ runId, entity: run.entity, project: run.project, logs: names });
  }
  await index.endSweep();
  await tools.deliver.memory.prune();
  const quarantined = index
    .quarantined()
    .map(({ folder, entry: { reason, cure } }) => ({ folder, reason, cure }));
  return {
    strays: strays.slice(0, limit),
    runs: runs.length + settled,
    quarantined: quarantined.slice(0, limit),
  };
}

/**
 * Whether an experiment's own workflow brings the run to W&B. It does so when its job has ended, and nothing is left to
 * it then but a short while; a run whose job ended long ago was left behind.
 */
async function isOwned(sharedDir: string, folder: string): Promise<boolean> {
  const [first] = relative(sharedDir, folder).split('/');
  if (first !== experiments) return false;
  const exit = await jobExit(folder);
  if (exit === null) return !(await isAbandoned(folder));
  return Math.abs(Date.now() - exit.endedAt) < ownedMs;
}

/** An experiment has begun to bring a run up long before, and holds the run's lock then; a clock that is hours off changes nothing. */
const ownedMs = 86_400_000;

/**
 * Whether a job without an exit record is over and nobody's: the janitor has written so when its grace period had passed,
 * Temporal named no owner, and the platform said that the job has ended or is gone. A heartbeat since then makes it void.
 */
async function isAbandoned(runFolder: string): Promise<boolean> {
  const attempt = dirname(dirname(runFolder));
  const claim = await readClaim(attempt);
  const beat = (await readIfThere(join(attempt, 'heartbeat.json'))) ?? null;
  const settled = (await readJanitorRecord(recordInFolder(attempt)))?.settled ?? null;
  return settled !== null && settled.claimedBy === (claim?.jobId ?? null) && settled.beat === beat;
}

async function jobExit(runFolder: string) {
  const attempt = dirname(dirname(runFolder));
  return (await lookAtRecords(attempt)).exit;
}

async function settleCopy(index: RunIndex, log: string, main: string): Promise<void> {
  const reason = `a copy of ${main}`;
  await index.settle(dirname(log), log, { status: 'acknowledged', reason, cure: '' });
}

async function settleRival(index: RunIndex, log: string, main: string): Promise<void> {
  await index.settle(dirname(log), log, {
    status: 'quarantined',
    reason: `another run with the same id lies at ${main}; sent as well, the two would be mixed up`,
    cure: 'Send it under another id: wandb sync --id <new id> <folder>.',
  });
}

/** One pass over a stray run; fails with `MirrorWaiting` until it is on the server or nothing more can be done for it. */
export async function tendStray(
  tools: WandbTools,
  stray: StrayRun,
  keep: (memory: RunMemory) => void,
): Promise<TendedRun> {
  const { sharedDir, silentMs } = tools;
  const signal = cancellationSignal();
  const logs = stray.logs.map((log) => join(sharedDir, log));
  const path = await tools.place({ runId: stray.runId, logged: stray, fallback: {} }, signal);
  let rows = 0;
  const state = await tendRun(tools.deliver, {
    path,
    logs,
    jobExitCode: (await jobExit(dirname(logs[0] ?? '')))?.code ?? null,
    memory: RunMemory.safeParse(activityInfo().heartbeatDetails).data,
    silentMs: (await isAbandoned(dirname(logs[0] ?? ''))) ? 0 : silentMs,
    onMemory(memory) {
      rows = memory.cursor.rows;
      keep(memory);
    },
    signal,
  });
  const { status, reason, cure } = state;
  if (status !== 'acknowledged' && status !== 'quarantined') throw waiting(stray, state);
  if (state.cause === 'refused') throw new Failure('WandbUnauthorized', `${reason}. ${cure}`);
  const index = await RunIndex.open(tools.indexDir, sharedDir);
  for (const log of logs) await index.settle(dirname(log), log, { status, reason, cure });
  return { status, reason, cure, rows };
}

function waiting({ runId }: StrayRun, { status, reason }: RunState): Failure {
  return new Failure('MirrorWaiting', `run ${runId} is ${status}: ${reason}`, { retryAfterMs: pollMs });
}
