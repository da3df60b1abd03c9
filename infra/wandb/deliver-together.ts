import { dirname } from 'node:path';

import { decideRunState } from '../../domain/run-state.ts';
import { type DeliverDeps, deliverRun, type DeliverOptions, type Delivery } from './deliver-run.ts';
import { isWritable, logFacts, readRunLogs, type RunLogs } from './run-logs.ts';
import { seeRun } from './see-run.ts';
import { sendTogether } from './send-by-client.ts';

type Job = Omit<DeliverOptions, 'signal'>;

/**
 * Brings several runs to the server that have ended, those of which it has nothing by one client: a start of the client
 * takes longer than a small run. What does not come through so is brought up by itself, which also says what is wrong.
 * The deliveries are in the order of the runs; a failure of one is thrown when all had their turn.
 */
export async function deliverTogether(
  deps: DeliverDeps,
  jobs: readonly Job[],
  signal: AbortSignal,
): Promise<readonly PromiseSettledResult<Delivery>[]> {
  const fresh = (await Promise.all(jobs.map(async (job) => lookFresh(deps, job, signal)))).filter(
    (each) => each !== null,
  );
  const [first] = fresh;
  const done = new Map<Job, Delivery>();
  if (first !== undefined && fresh.length > 1) {
    const { entity, project } = first.job.path;
    const same = fresh.filter(({ job: { path } }) => path.entity === entity && path.project === project);
    const logs = same.flatMap(({ job }) => job.logs);
    await deps.inTurn(() => sendTogether(deps, { entity, project }, logs, signal));
    for (const { job, found } of same) {
      const { sight, run } = await seeRun(deps, job.path, found, signal);
      const state = decideRunState({
        log: logFacts(found),
        job: { exitCode: job.jobExitCode, silent: true },
        server: sight,
      });
      if (state.status === 'acknowledged') done.set(job, { state, found, run, report: null });
    }
  }
  return Promise.allSettled(
    jobs.map(async (job) => done.get(job) ?? (await deliverRun(deps, { ...job, signal }))),
  );
}

/** A run that the client may take as it lies there: whole, sound, closed, and not on the server at all. */
async function lookFresh(
  deps: DeliverDeps,
  job: Job,
  signal: AbortSignal,
): Promise<{ readonly job: Job; readonly found: RunLogs } | null> {
  const [log] = job.logs;
  if (log === undefined || job.logs.length > 1 || !(await isWritable(dirname(log)))) return null;
  const found = await readRunLogs(job.logs);
  if (found.damage !== null || found.exit === null || found.run === null || found.rows === 0) return null;
  return (await deps.writer.rows(job.path, signal)) === null ? { job, found } : null;
}
