import { mkdtemp, mkdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

import { cancellationSignal, sleep } from '@temporalio/activity';

import { Failure } from '../../infra/failure.ts';
import { copyLogWithoutRows } from '../../infra/wandb/copy-log.ts';
import { syncRun, type SyncRunReport } from '../../infra/wandb/sync-run.ts';
import { isEnded, type RunPath, type WandbRun } from '../../infra/wandb/wandb-client.ts';
import { attemptDir } from '../attempts/attempt-paths.ts';
import { findLoggedRun, type RunLog } from './find-logged-run.ts';
import type { SyncedRun, SyncInput } from './interface.ts';
import { usualTiming, type WandbDeps, type WandbTiming } from './wandb-deps.ts';

/**
 * Brings one offline run to the server and returns what the server then says of it. What is there already is not sent
 * again: a repeat, also one after a crash half way, adds no row.
 */
export async function syncExperimentRun(deps: WandbDeps, input: SyncInput): Promise<SyncedRun> {
  const timing = { ...usualTiming, ...deps.timing };
  const found = await findLoggedRun(attemptDir(deps.disk.sharedDir, input), input.runId);
  const path = await placeOf(deps, input, found);
  const known = await settledRun(deps, path, found, timing);
  if (known !== null && isAcknowledged(known, found)) return toSyncedRun(known, found);

  const report = await upload(deps, { path, found, timing, rowsThere: known?.rows ?? 0 });
  const patience = report.statuses.length === 0 ? timing.patienceMs : timing.patienceMs / 4;
  const run = await poll(
    deps,
    path,
    timing,
    patience,
    (seen) => seen === null || isAcknowledged(seen, found),
  );
  if (run !== null && isAcknowledged(run, found)) return toSyncedRun(run, found);
  throw notAcknowledged(run, { path, found, report, deps });
}

/** Where the run goes: what the log says, else the task note, else the settings, else the key's own default. */
async function placeOf(deps: WandbDeps, input: SyncInput, { log }: RunLog): Promise<RunPath> {
  const entity =
    log.run.entity ||
    input.wandb.entity ||
    deps.settings.entity ||
    (await deps.wandb.defaultEntity(cancellationSignal()));
  if (!entity) {
    throw new Failure(
      'WandbUnauthorized',
      `W&B at ${deps.settings.baseUrl} gives this API key no default entity. Expected one: set wandb.entity in the task note or WANDB_ENTITY.`,
    );
  }
  return { entity, project: log.run.project || input.wandb.project, runId: input.runId };
}

/**
 * The run as the server knows it after some time to settle: what an earlier try sent a moment ago may not be counted
 * yet, and sending it again would double it.
 */
async function settledRun(
  deps: WandbDeps,
  path: RunPath,
  found: RunLog,
  timing: WandbTiming,
): Promise<WandbRun | null> {
  const first = await deps.wandb.run(path, cancellationSignal());
  if (first === null || isAcknowledged(first, found)) return first;
  return poll(deps, path, timing, timing.settleMs, (run) => run === null || isAcknowledged(run, found));
}

/** Looks at the run until it is as wanted or the time is over; returns what was seen last. */
async function poll(
  deps: WandbDeps,
  path: RunPath,
  timing: WandbTiming,
  limitMs: number,
  isWanted: (run: WandbRun | null) => boolean,
): Promise<WandbRun | null> {
  const until = Date.now() + limitMs;
  let pause = timing.pollMs;
  for (;;) {
    const run = await deps.wandb.run(path, cancellationSignal());
    const left = until - Date.now();
    if (isWanted(run) || left <= 0) return run;
    await sleep(Math.min(pause, left));
    pause = Math.min(pause * 2, timing.pollMs * 5);
  }
}

interface Upload {
  readonly path: RunPath;
  readonly found: RunLog;
  readonly timing: WandbTiming;
  readonly rowsThere: number;
}

/** One `wandb sync`, in a folder of its own that is gone afterwards. */
async function upload(deps: WandbDeps, { path, found, timing, rowsThere }: Upload): Promise<SyncRunReport> {
  const scratch = await mkdtemp(join(tmpdir(), 'hephaestus-wandb-'));
  try {
    return await syncRun({
      command: deps.syncCommand,
      logFile: rowsThere === 0 ? found.path : await remainder(found, rowsThere, scratch),
      entity: path.entity,
      project: path.project,
      settings: deps.settings,
      environment: deps.environment,
      scratch,
      timeoutMs: timing.syncTimeoutMs,
      signal: cancellationSignal(),
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** A run folder with what the server lacks. The client would send all rows again, behind those that are there. */
async function remainder({ path }: RunLog, rowsThere: number, scratch: string): Promise<string> {
  const folder = join(scratch, basename(dirname(path)));
  await mkdir(folder);
  await symlink(join(dirname(path), 'files'), join(folder, 'files'));
  const copy = join(folder, basename(path));
  await copyLogWithoutRows(path, copy, rowsThere);
  return copy;
}

/** More rows than the log has are those of a sync by hand; readers take each step once. */
function isAcknowledged(run: WandbRun, { log }: RunLog): boolean {
  const endedRight = log.exit?.code === 0 ? run.state === 'finished' : isEnded(run.state);
  return run.rows >= log.rows && run.lastStep === log.lastStep && endedRight;
}

function toSyncedRun(run: WandbRun, { log }: RunLog): SyncedRun {
  const { entity, project, runId, url, rows } = run;
  return { entity, project, runId, url, rows, lastStep: log.lastStep };
}

interface Outcome {
  readonly path: RunPath;
  readonly found: RunLog;
  readonly report: SyncRunReport;
  readonly deps: WandbDeps;
}

function notAcknowledged(run: WandbRun | null, { path, found, report, deps }: Outcome): Failure {
  const name = `${path.entity}/${path.project}/${path.runId}`;
  const server = `W&B at ${deps.settings.baseUrl}`;
  const said = report.words === '' ? '' : ` The client said: ${report.words.slice(-1000)}`;
  if (run === null && report.statuses.includes(409)) {
    return new Failure(
      'WandbRunDeleted',
      `Run ${name} was deleted on ${server}, and W&B never takes a deleted id again. Restore it in its web page (project, "Undelete recently deleted runs"), or rerun the attempt: it gets new ids. The log stays at ${found.path}.`,
    );
  }
  if (report.statuses.some((status) => status === 401 || status === 403)) {
    return new Failure(
      'WandbUnauthorized',
      `${server} did not let the API key write run ${name}. Expected a key that may write to ${path.entity}: check WANDB_API_KEY and WANDB_ENTITY.${said}`,
    );
  }
  if (report.statuses.some((status) => status === 429 || status >= 500)) {
    return new Failure('WandbUnavailable', `${server} did not take run ${name}; it is tried again.${said}`);
  }
  const { rows, lastStep, exit } = found.log;
  const seen =
    run === null ? 'no such run' : `${run.rows} rows up to step ${run.lastStep ?? 'none'}, ${run.state}`;
  const expected = `${rows} rows up to step ${lastStep}, ${exit?.code === 0 ? 'finished' : 'ended'}`;
  const late = report.ended === 'timed-out' ? ' wandb sync was stopped at its time limit.' : '';
  return new Failure(
    'WandbNotAcknowledged',
    `${server} shows ${seen} for run ${name}, expected ${expected} as in ${found.path}.${late} It is tried again; if this lasts, look at the run in W&B.${said}`,
  );
}
