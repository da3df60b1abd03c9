import { decideRunState } from '../../domain/run-state.ts';
import { type DeliverDeps, deliverRun, type DeliverOptions, type Delivery } from './deliver-run.ts';
import { Failure } from '../failure.ts';
import { holdRun, outlastsKilled, takeRun } from './hold-run.ts';
import { markSynced } from './mark-synced.ts';
import { logFacts, readRunLogs, type RunLogs } from './run-logs.ts';
import { seeRun } from './see-run.ts';
import { sendTogether } from './send-by-client.ts';

/** A run that has ended; see `DeliverOptions`. */
export type DeliverJob = Omit<DeliverOptions, 'signal' | 'alone'>;

interface Taken {
  readonly job: DeliverJob;
  readonly held: Awaited<ReturnType<typeof takeRun>>;
}

interface Fresh extends Taken {
  readonly found: RunLogs;
}

/**
 * Brings several runs to the server that have ended, those of which it has nothing by one client: a start of the client
 * takes longer than a small run. What does not come through so is brought up by itself, which also says what is wrong.
 * The deliveries are in the order of the runs; a failure of one is thrown when all had their turn.
 */
export async function deliverTogether(
  deps: DeliverDeps,
  jobs: readonly DeliverJob[],
  signal: AbortSignal,
): Promise<readonly PromiseSettledResult<Delivery>[]> {
  const taken = (await Promise.all(jobs.map(async (job) => takeFree(job, signal)))).filter(
    (each) => each !== null,
  );
  const done = new Map<DeliverJob, Delivery>();
  try {
    for (const [job, delivery] of await deliverFresh(deps, taken, signal)) done.set(job, delivery);
  } finally {
    for (const { held } of taken) await held.release();
  }
  return Promise.allSettled(
    jobs.map(async (job) => {
      const delivery = done.get(job);
      if (delivery !== undefined) return delivery;
      return holdRun({ logs: job.logs, waitMs: outlastsKilled, signal }, (held) =>
        deliverRun(deps, { ...job, ...held }),
      );
    }),
  );
}

/** Null while another process has the run. */
async function takeFree(job: DeliverJob, signal: AbortSignal): Promise<Taken | null> {
  try {
    return { job, held: await takeRun({ logs: job.logs, waitMs: 0, signal }) };
  } catch (error) {
    if (error instanceof Failure && error.type === 'WandbRunHeld') return null;
    throw error;
  }
}

/** Sends by one client what may go so; what the server then shows whole is in the answer. */
async function deliverFresh(
  deps: DeliverDeps,
  taken: readonly Taken[],
  signal: AbortSignal,
): Promise<(readonly [DeliverJob, Delivery])[]> {
  const fresh = (await Promise.all(taken.map(async (each) => lookFresh(deps, each)))).filter(
    (each) => each !== null,
  );
  const [first] = fresh;
  if (first === undefined || fresh.length === 1) return [];
  const { entity, project } = first.job.path;
  const same = fresh.filter(({ job: { path } }) => path.entity === entity && path.project === project);
  const logs = same.flatMap(({ job }) => job.logs);
  const held = AbortSignal.any([signal, ...same.map((each) => each.held.signal)]);
  await deps.inTurn(() => sendTogether(deps, { entity, project }, logs, held));
  const done: (readonly [DeliverJob, Delivery])[] = [];
  for (const { job, found } of same) {
    const { sight, run } = await seeRun(deps, job.path, found, signal);
    const state = decideRunState({
      log: logFacts(found),
      job: { exitCode: job.jobExitCode, silent: true },
      server: sight,
    });
    if (state.status !== 'acknowledged') continue;
    await markSynced(found.logs);
    done.push([job, { state, found, run, report: null }]);
  }
  return done;
}

/** A run that the client may take as it lies there: whole, sound, closed, and not on the server at all. */
async function lookFresh(deps: DeliverDeps, taken: Taken): Promise<Fresh | null> {
  const { job, held } = taken;
  if (job.logs.length > 1 || !held.alone) return null;
  const found = await readRunLogs(job.logs);
  if (found.damage !== null || found.exit === null || found.run === null || found.rows === 0) return null;
  return (await deps.writer.rows(job.path, held.signal)) === null ? { ...taken, found } : null;
}
