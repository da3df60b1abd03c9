import { activityInfo, cancellationSignal } from '@temporalio/activity';
import { z } from 'zod';

import { Failure } from '../../infra/failure.ts';
import { findRunLogs } from '../../infra/wandb/find-run-log.ts';
import { holdRun } from '../../infra/wandb/hold-run.ts';
import { type MirrorReport, mirrorRows, mirrorStart } from '../../infra/wandb/mirror-rows.ts';
import { isBeatDue, passBytes, RunMemory } from '../../infra/wandb/tend-run.ts';
import { attemptDir } from '../attempts/attempt-paths.ts';
import { lookAtRecords } from '../attempts/read-records.ts';
import { isSilent, measureStillness, Stillness } from '../attempts/silence.ts';
import type { MirroredRun, MirrorInput } from './interface.ts';
import { placeExperimentRun } from './sync-experiment-run.ts';
import type { WandbTools } from './wandb-tools.ts';

/** What a pass leaves to the next one, which may run in another process. */
const Details = z.object({
  cursor: RunMemory.shape.cursor,
  beatAt: z.number(),
  stillness: Stillness,
});
type Details = z.infer<typeof Details>;

/** A server that is away is asked again so soon: curves that stand still for longer worry people. */
const awayMs = 20_000;

/**
 * One pass of the mirror of a training job's run. Returns when the log has its end or the job has written its own, and
 * fails benignly with the time of the next pass until then.
 */
export async function mirrorExperimentRun(
  tools: WandbTools,
  input: MirrorInput,
  keep: (details: Details) => void,
): Promise<MirroredRun> {
  const folder = attemptDir(tools.sharedDir, input);
  const before = Details.safeParse(activityInfo().heartbeatDetails).data;
  const look = await lookAtRecords(folder);
  const now = Date.now();
  let details: Details = {
    cursor: before?.cursor ?? mirrorStart,
    beatAt: before?.beatAt ?? now,
    stillness: measureStillness(before?.stillness, look, now),
  };
  const change = (changes: Partial<Details>): void => {
    details = { ...details, ...changes };
    keep(details);
  };
  change({});
  const { offline: logs } = await findRunLogs(folder, input.runId);
  const report = logs.length === 0 ? null : await pass(tools, { input, logs, details, change });
  const over = look.exit !== null || report?.exited === true;
  if (over && report?.caughtUp !== false) return { rows: details.cursor.rows };
  const { writer } = tools.deliver;
  const alive = look.claim !== null && !isSilent(look, details.stillness);
  // A job that is gone must come to be shown as crashed, which it is not while somebody says that it is alive.
  if (alive && details.cursor.rows > 0 && isBeatDue(details.beatAt)) {
    await guardAway(async () => {
      const path = await placeExperimentRun(tools, input, logs);
      await writer.send(path, details.cursor.rows, [], cancellationSignal());
    });
    change({ beatAt: Date.now() });
  }
  const retryAfterMs = report?.caughtUp === false ? 1_000 : input.pollSeconds * 1_000;
  throw new Failure('MirrorWaiting', `${details.cursor.rows} rows of run ${input.runId} are at W&B`, {
    retryAfterMs,
  });
}

interface Pass {
  readonly input: MirrorInput;
  readonly logs: readonly string[];
  readonly details: Details;
  readonly change: (changes: Partial<Details>) => void;
}

async function pass(tools: WandbTools, { input, logs, details, change }: Pass): Promise<MirrorReport> {
  return guardAway(async () => {
    const path = await placeExperimentRun(tools, input, logs);
    const report = await holdRun({ logs, waitMs: 0, signal: cancellationSignal() }, ({ signal }) =>
      mirrorRows({
        writer: tools.deliver.writer,
        path,
        logs,
        cursor: details.cursor,
        mostBytes: passBytes,
        memory: tools.deliver.memory,
        onCursor: (cursor) => change({ cursor }),
        signal,
      }),
    );
    if (report.sent > 0) change({ beatAt: Date.now() });
    return report;
  });
}

/** The pause grows with the number of tries, and a mirror is tried for days: an outage must not leave it asleep. */
async function guardAway<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof Failure) || error.type !== 'WandbUnavailable') throw error;
    const retryAfterMs = Math.max(error.retryAfterMs ?? 0, awayMs);
    throw new Failure(error.type, error.message, { retryAfterMs });
  }
}
