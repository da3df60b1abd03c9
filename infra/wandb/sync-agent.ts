import { dirname } from 'node:path';

import PQueue from 'p-queue';

import type { RunState, RunStatus } from '../../domain/run-state.ts';
import { Failure } from '../failure.ts';
import type { DeliverDeps } from './deliver-run.ts';
import { deliverTogether } from './deliver-together.ts';
import { findRuns } from './find-runs.ts';
import { type FoundRun, groupRuns } from './group-runs.ts';
import type { createPlacer } from './place-run.ts';
import type { RunIndex } from './run-index.ts';
import { readRunLogs } from './run-logs.ts';
import { type RunMemory, tendRun } from './tend-run.ts';

/** What is known of one run after a round. */
export interface AgentRun {
  readonly name: string;
  readonly folders: readonly string[];
  readonly status: RunStatus;
  readonly reason: string;
  readonly cure: string;
  readonly url: string | null;
  readonly rows: number;
  /** The server did not answer: nothing is wrong with the run. */
  readonly away: boolean;
}

export interface AgentOptions {
  readonly deps: DeliverDeps;
  readonly place: ReturnType<typeof createPlacer>;
  readonly roots: readonly { readonly root: string; readonly index: RunIndex }[];
  /** Runs that are seen to at one time. */
  readonly parallel: number;
  readonly silentMs: number;
  readonly signal: AbortSignal;
  readonly onRun: (run: AgentRun) => void;
}

export interface Round {
  readonly runs: readonly AgentRun[];
  /** Known from earlier rounds to be on the server. */
  readonly settled: number;
}

/** Small finished runs that one client takes together. */
const batchRuns = 40;
const batchBytes = 64 * 1024 * 1024;

/**
 * The sync agent without Temporal: rounds over run folders, each of which brings what has ended to the server and sends
 * what is new of the rest. Small runs have their turn first. Throws `WandbUnauthorized` as soon as the server refuses the
 * key, so that it is not asked again for each run.
 */
export class SyncAgent {
  readonly #options: AgentOptions;
  readonly #memories = new Map<string, RunMemory>();

  constructor(options: AgentOptions) {
    this.#options = options;
  }

  async round(): Promise<Round> {
    const runs: AgentRun[] = [];
    let settled = 0;
    for (const { root, index } of this.#options.roots) {
      const isSettled = (folder: string): boolean => index.isSettled(folder);
      const found = await findRuns(root, { isSettled, signal: this.#options.signal });
      const open = [];
      for (const run of found.runs) {
        if (await index.isUnchanged(run.folder, run.log)) settled += 1;
        else open.push(run);
      }
      settled += found.settled;
      runs.push(...(await this.#seeTo(await groupRuns(open), index)));
      await index.endSweep();
      for (const { folder, entry } of index.quarantined()) {
        if (runs.some(({ folders }) => folders.includes(folder))) continue;
        settled -= 1;
        const { status, reason, cure } = entry;
        runs.push({ name: folder, folders: [folder], status, reason, cure, url: null, rows: 0, away: false });
      }
    }
    return { runs, settled };
  }

  async #seeTo(groups: readonly FoundRun[], index: RunIndex): Promise<AgentRun[]> {
    const queue = new PQueue({ concurrency: this.#options.parallel });
    const refused = new AbortController();
    const results: AgentRun[] = [];
    const add = (run: AgentRun): void => {
      results.push(run);
      this.#options.onRun(run);
    };
    const finished: FoundRun[] = [];
    const alive: FoundRun[] = [];
    for (const group of groups.toSorted((a, b) => a.size - b.size)) {
      for (const run of await this.#settleOthers(group, index)) add(run);
      const ended = group.size < batchBytes && (await readRunLogs(group.logs)).exit !== null;
      (ended ? finished : alive).push(group);
    }
    const work = [
      ...alive.map((group) => async () => this.#tend(group, index)),
      ...batchesOf(finished, this.#options.parallel).map((batch) => async () => this.#deliver(batch, index)),
    ].map(async (act) =>
      queue.add(async () => {
        if (refused.signal.aborted) return;
        try {
          for (const run of await act()) add(run);
        } catch (error) {
          if (isRefusal(error)) refused.abort(error);
          else throw error;
        }
      }),
    );
    await Promise.all(work);
    if (refused.signal.aborted) throw refused.signal.reason;
    return results;
  }

  async #tend(group: FoundRun, index: RunIndex): Promise<AgentRun[]> {
    const { place, deps, silentMs, signal } = this.#options;
    const key = group.logs[0] ?? '';
    const path = await place(placeOf(group), signal);
    let rows = 0;
    const outcome = await orPending(async () =>
      tendRun(deps, {
        path,
        logs: group.logs,
        jobExitCode: null,
        memory: this.#memories.get(key),
        silentMs,
        onMemory: (memory) => {
          this.#memories.set(key, memory);
          rows = memory.cursor.rows;
        },
        signal,
      }),
    );
    return [await this.#conclude(group, index, { ...outcome, url: null, rows })];
  }

  async #deliver(batch: readonly FoundRun[], index: RunIndex): Promise<AgentRun[]> {
    const { place, deps, signal } = this.#options;
    const jobs = await Promise.all(
      batch.map(async (group) => ({
        path: await place(placeOf(group), signal),
        logs: group.logs,
        jobExitCode: null,
      })),
    );
    const deliveries = await deliverTogether(deps, jobs, signal);
    const runs: AgentRun[] = [];
    for (const [at, group] of batch.entries()) {
      const result = deliveries[at];
      if (result === undefined) continue;
      const outcome = await orPending(async () => {
        if (result.status === 'rejected') throw result.reason;
        return result.value.state;
      });
      const value = result.status === 'fulfilled' ? result.value : null;
      const facts = { ...outcome, url: value?.run?.url ?? null, rows: value?.found.rows ?? 0 };
      runs.push(await this.#conclude(group, index, facts));
    }
    return runs;
  }

  async #conclude(
    group: FoundRun,
    index: RunIndex,
    { state, url, rows, away }: Outcome & { readonly url: string | null; readonly rows: number },
  ): Promise<AgentRun> {
    const { status, reason, cure, cause } = state;
    if (cause === 'refused') throw new Failure('WandbUnauthorized', `${reason}. ${cure}`);
    if (status === 'acknowledged' || status === 'quarantined') {
      for (const log of group.logs) await index.settle(dirname(log), log, { status, reason, cure });
    }
    return { name: group.runId, folders: group.logs.map(dirname), status, reason, cure, url, rows, away };
  }

  /** Copies that were made by hand are as good as sent; other runs with the same id would be mixed up with this one. */
  async #settleOthers({ runId, logs, copies, rivals }: FoundRun, index: RunIndex): Promise<AgentRun[]> {
    const main = dirname(logs[0] ?? '');
    for (const log of copies) {
      const reason = `a copy of ${main}`;
      await index.settle(dirname(log), log, { status: 'acknowledged', reason, cure: '' });
    }
    const runs: AgentRun[] = [];
    for (const log of rivals) {
      const reason = `another run with the same id lies at ${main}; sent as well, the two would be mixed up`;
      const cure = 'Send it under another id: wandb sync --id <new id> <folder>.';
      await index.settle(dirname(log), log, { status: 'quarantined', reason, cure });
      runs.push({
        name: runId,
        folders: [dirname(log)],
        status: 'quarantined',
        reason,
        cure,
        url: null,
        rows: 0,
        away: false,
      });
    }
    return runs;
  }
}

/** Even shares, so that all clients have work, and none so large that many small runs wait for it. */
function batchesOf(groups: readonly FoundRun[], parallel: number): FoundRun[][] {
  const share = Math.min(batchRuns, Math.ceil(groups.length / parallel));
  const batches: FoundRun[][] = [];
  let bytes = 0;
  for (const group of groups) {
    const last = batches.at(-1);
    if (last === undefined || last.length >= share || bytes + group.size > batchBytes) {
      batches.push([group]);
      bytes = group.size;
    } else {
      last.push(group);
      bytes += group.size;
    }
  }
  return batches;
}

function placeOf({ runId, run }: FoundRun) {
  return { runId, logged: { entity: run?.entity ?? '', project: run?.project ?? '' }, fallback: {} };
}

interface Outcome {
  readonly state: RunState;
  readonly away: boolean;
}

/** A server that is away, or another process that has the run, is no reason to give up: the next round tries again. */
async function orPending(act: () => Promise<RunState>): Promise<Outcome> {
  try {
    return { state: await act(), away: false };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const away = error.type === 'WandbUnavailable';
    if (!away && error.type !== 'WandbRunHeld') throw error;
    return { state: { status: 'pending', reason: error.message, cure: '', cause: null }, away };
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof Failure && error.type === 'WandbUnauthorized';
}
