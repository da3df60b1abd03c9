import { stat } from 'node:fs/promises';

import { z } from 'zod';

import { decideRunState, type RunState } from '../../domain/run-state.ts';
import { type DeliverDeps, deliverRun } from './deliver-run.ts';
import { type Held, holdRun, outlastsKilled } from './hold-run.ts';
import { type MirrorCursor, mirrorRows, mirrorStart } from './mirror-rows.ts';
import { logFacts, readRunLogs } from './run-logs.ts';
import type { RunPath } from './wandb-client.ts';

/** What is known of a run from earlier passes; survives the process that keeps it. */
export const RunMemory = z.object({
  cursor: z.object({ fragment: z.int(), position: z.int(), rows: z.int() }),
  /** Bytes of all logs at the last look, and for how long they have been so, ms, as far as somebody looked. */
  size: z.number(),
  stillMs: z.number(),
  lookedAt: z.number(),
  /** When the server last heard that the run is alive. */
  beatAt: z.number(),
});
export type RunMemory = z.infer<typeof RunMemory>;

export interface TendOptions {
  readonly path: RunPath;
  /** The fragments of the run, oldest first. */
  readonly logs: readonly string[];
  /** By the job's own exit record; null where there is none. */
  readonly jobExitCode: number | null;
  /** Undefined at the first look. */
  readonly memory: RunMemory | undefined;
  /** A log that has not moved for so long is that of a run that has ended. */
  readonly silentMs: number;
  readonly onMemory: (memory: RunMemory) => void;
  readonly signal: AbortSignal;
}

/** A pass over a run that is alive takes no more than this, so that the others have their turn. */
export const passBytes = 16 * 1024 * 1024;
/** The server takes a run for crashed after some minutes without a word; the real client speaks this often. */
const beatMs = 30_000;
/** Of the time between two looks no more counts than this: while nobody looked, the disk may have been away. */
const mostBetweenLooksMs = 6 * 60_000;

/**
 * One pass over a run: sends what is new while it is alive, and delivers it when it has ended. Returns its state; anything
 * but `acknowledged` and `quarantined` asks for another pass. Throws `WandbUnavailable`,
 * `WandbRunHeld` and the signal's reason.
 */
export async function tendRun(deps: DeliverDeps, options: TendOptions): Promise<RunState> {
  const { logs, signal } = options;
  return holdRun({ logs, waitMs: outlastsKilled, signal }, (held) => pass(deps, options, held));
}

async function pass(deps: DeliverDeps, options: TendOptions, { alone, signal }: Held): Promise<RunState> {
  const { path, logs, jobExitCode, onMemory } = options;
  let memory = await remember(options);
  onMemory(memory);
  const deliver = async (): Promise<RunState> =>
    (await deliverRun(deps, { path, logs, jobExitCode, alone, signal })).state;
  if (jobExitCode !== null || memory.stillMs >= options.silentMs) return deliver();
  if (options.memory === undefined) {
    const found = await readRunLogs(logs, deps.memory);
    if (found.exit !== null) return deliver();
    if (found.rows === 0) return waiting(found.rows, logFacts(found));
  }
  const onCursor = (cursor: MirrorCursor): void => {
    memory = { ...memory, cursor };
    onMemory(memory);
  };
  const { writer } = deps;
  const { cursor } = memory;
  const report = await mirrorRows({
    writer,
    path,
    logs,
    cursor,
    mostBytes: passBytes,
    memory: deps.memory,
    onCursor,
    signal,
  });
  if (report.exited && report.caughtUp) return deliver();
  const rows = report.cursor.rows;
  memory = { ...memory, ...(report.sent > 0 && { beatAt: Date.now() }) };
  if (rows > 0 && isBeatDue(memory.beatAt)) {
    await writer.send(path, rows, [], signal);
    memory = { ...memory, beatAt: Date.now() };
  }
  onMemory(memory);
  return waiting(rows, { runId: path.runId, rows, lastStep: null, exitCode: null, damage: null });
}

/** Whether the server should be told again that a run is alive; a clock that jumped back counts as well. */
export function isBeatDue(beatAt: number): boolean {
  return Math.abs(Date.now() - beatAt) >= beatMs;
}

function waiting(rows: number, log: Parameters<typeof decideRunState>[0]['log']): RunState {
  const known = {
    status: 'known',
    rows,
    lastStep: null,
    state: 'running',
    summaryDiffers: [],
    filesMissing: [],
  } as const;
  const server = rows === 0 ? ({ status: 'absent' } as const) : known;
  return decideRunState({ log, job: { exitCode: null, silent: false }, server });
}

/** How long the logs have stood still, by sizes alone: times of a shared disk are those of another machine. */
async function remember({ logs, memory }: TendOptions): Promise<RunMemory> {
  const sizes = await Promise.all(logs.map(async (log) => (await stat(log)).size));
  const size = sizes.reduce((sum, each) => sum + each, 0);
  const lookedAt = Date.now();
  if (memory === undefined) return { cursor: mirrorStart, size, stillMs: 0, lookedAt, beatAt: lookedAt };
  const passed = Math.min(Math.max(lookedAt - memory.lookedAt, 0), mostBetweenLooksMs);
  return { ...memory, size, stillMs: size === memory.size ? memory.stillMs + passed : 0, lookedAt };
}
