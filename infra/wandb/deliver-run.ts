import { setTimeout as sleep } from 'node:timers/promises';

import { decideRunState, type RunState, type ServerSight, unknownExitCode } from '../../domain/run-state.ts';
import { Failure } from '../failure.ts';
import type { LogMemory } from './log-memory.ts';
import { treeText } from './item-tree.ts';
import { markSynced } from './mark-synced.ts';
import { mirrorRows, mirrorStart } from './mirror-rows.ts';
import { logFacts, readRunLogs, type RunLogs } from './run-logs.ts';
import { seeRun, type SeenRun } from './see-run.ts';
import { type ClientDeps, sendByClient } from './send-by-client.ts';
import type { SyncRunReport } from './sync-run.ts';
import type { RunPath, WandbClient, WandbRun } from './wandb-client.ts';
import type { WandbWriter } from './wandb-writer.ts';

export interface DeliverDeps extends ClientDeps {
  readonly client: WandbClient;
  readonly writer: WandbWriter;
  /** What mirrors learnt of logs. */
  readonly memory: LogMemory;
  /** How long the server may take to show what it was sent, ms; wandb.ai counts rows some seconds late. */
  readonly patienceMs: number;
  /** Between two looks, ms, at first; grows up to five times this. */
  readonly pollMs: number;
  /** Holds back while too many clients run: each takes about 135 MB. */
  readonly inTurn: <T>(act: () => Promise<T>) => Promise<T>;
}

export interface DeliverOptions {
  readonly path: RunPath;
  /** The fragments of the run, oldest first. */
  readonly logs: readonly string[];
  /** By the job's own exit record; null where there is none. */
  readonly jobExitCode: number | null;
  /** No other process brings it up meanwhile. If one might, rows go by their index alone, which bears that. */
  readonly alone: boolean;
  readonly signal: AbortSignal;
}

export interface Delivery {
  readonly state: RunState;
  readonly found: RunLogs;
  /** As the server shows it; null when it does not. */
  readonly run: WandbRun | null;
  /** What the real client met; null when it was not needed. */
  readonly report: SyncRunReport | null;
}

/**
 * Brings a run that has ended to the server, whole and once: rows that are missing by their index, everything else by the
 * real `wandb sync`. What is there is not sent again, so a repeat, also one after a crash half way, adds nothing. The
 * state that it returns is what was read back. Throws `WandbUnavailable` and the signal's reason.
 */
export async function deliverRun(deps: DeliverDeps, options: DeliverOptions): Promise<Delivery> {
  const delivery = await deliver(deps, options);
  const { state, found, run } = delivery;
  if (state.status === 'acknowledged') {
    if (run !== null) await completeSummary(deps, options, found, run);
    await markSynced(found.logs);
  }
  // Not needed any more; or it may be why the run did not come through, and the next try reads the logs anew.
  for (const log of found.known.keys()) await deps.memory.forget(log);
  return delivery;
}

async function deliver(deps: DeliverDeps, options: DeliverOptions): Promise<Delivery> {
  const { path, logs, signal } = options;
  const found = await readRunLogs(logs, deps.memory);
  const judge = (server: ServerSight): RunState =>
    decideRunState({
      log: logFacts(found),
      job: { exitCode: options.jobExitCode, silent: true },
      server,
    });
  const at = (seen: SeenRun, report: SyncRunReport | null): Delivery => ({
    state: judge(seen.sight),
    found,
    run: seen.run,
    report,
  });
  const unsendable = judge({ status: 'unasked' });
  if (unsendable.status === 'quarantined') return { state: unsendable, found, run: null, report: null };
  try {
    const before = at(await seeRun(deps, path, found, signal), null);
    if (before.state.status !== 'pending' && before.state.status !== 'draining') return before;
    const rowsAreThere = !options.alone || before.run !== null || logs.length > 1;
    if (rowsAreThere && before.run?.rows !== found.rows) await sendRows(deps, options);
    const exit = { code: options.jobExitCode ?? unknownExitCode, runtimeSeconds: runtimeOf(found) };
    const report = await deps.inTurn(() => sendByClient(deps, { path, found, rowsAreThere, exit, signal }));
    const { seen, state } = await readBack(deps, { options, found, report, judge });
    return { state, found, run: seen.run, report };
  } catch (error) {
    const sight = sightOf(error);
    if (sight === null) throw error;
    return { state: judge(sight), found, run: null, report: null };
  }
}

/** The real client tells the last step with the rows alone, which were not its to send. */
async function completeSummary(
  { writer }: DeliverDeps,
  { path, jobExitCode, signal }: DeliverOptions,
  { summary, exit }: RunLogs,
  run: WandbRun,
): Promise<void> {
  if (!summary.has('_step') || '_step' in run.summary) return;
  const exitCode = exit?.code ?? jobExitCode ?? unknownExitCode;
  await writer.sendSummary(path, treeText(summary), exitCode, signal);
}

async function sendRows({ writer }: DeliverDeps, { path, logs, signal }: DeliverOptions): Promise<void> {
  await mirrorRows({ writer, path, logs, cursor: mirrorStart, mostBytes: Infinity, signal });
}

interface ReadBack {
  readonly options: DeliverOptions;
  readonly found: RunLogs;
  readonly report: SyncRunReport;
  readonly judge: (server: ServerSight) => RunState;
}

/** Looks at the run until the server shows it whole, or the patience is over. */
async function readBack(
  deps: DeliverDeps,
  { options, found, report, judge }: ReadBack,
): Promise<{ readonly seen: SeenRun; readonly state: RunState }> {
  const { path, signal } = options;
  const patience = report.statuses.length === 0 ? deps.patienceMs : deps.patienceMs / 4;
  const until = performance.now() + patience;
  let pause = deps.pollMs;
  for (;;) {
    const seen = await seeRun(deps, path, found, signal);
    const sight = seen.run === null ? refusalOf(report, seen.sight) : seen.sight;
    const state = judge(sight);
    const left = until - performance.now();
    if (seen.run === null || state.status !== 'draining' || left <= 0) return { seen, state };
    await sleep(Math.min(pause, left), undefined, { signal });
    pause = Math.min(pause * 2, deps.pollMs * 5);
  }
}

/** Why a server does not have a run that was sent to it just now. */
function refusalOf(report: SyncRunReport, sight: ServerSight): ServerSight {
  if (report.statuses.includes(409)) return { status: 'deleted' };
  const refused = report.statuses.find((status) => status === 401 || status === 403);
  if (refused === undefined) return sight;
  return { status: 'refused', why: `the server did not let the API key write (HTTP ${refused})` };
}

/** What a failure says of the run for good; null for one that may pass. */
function sightOf(error: unknown): ServerSight | null {
  if (!(error instanceof Failure)) return null;
  if (error.type === 'WandbRunDeleted') return { status: 'deleted' };
  return error.type === 'WandbUnauthorized' ? { status: 'refused', why: error.message } : null;
}

function runtimeOf({ summary }: RunLogs): number {
  const runtime = Number(summary.get('_runtime') ?? 0);
  return Number.isFinite(runtime) ? runtime : 0;
}
