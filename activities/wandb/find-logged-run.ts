import { Failure } from '../../infra/failure.ts';
import { findRunLogs } from '../../infra/wandb/find-run-log.ts';

/**
 * The logs of a run below the attempt's folder, oldest first: a job that was started again began the run again. Throws
 * `JobNeverLogged` with what was found instead.
 */
export async function findLoggedRun(attemptFolder: string, runId: string): Promise<readonly string[]> {
  const found = await findRunLogs(attemptFolder, runId);
  if (found.offline.length === 0) throw missing(attemptFolder, runId, found);
  return found.offline;
}

function missing(folder: string, runId: string, found: Awaited<ReturnType<typeof findRunLogs>>): Failure {
  if (found.online.length > 0) {
    return new Failure(
      'JobNeverLogged',
      `Run ${runId} was begun online (${found.online.join(', ')}): W&B was not in offline mode. Expected an "offline-run-…" folder. Take wandb.init(mode=…), wandb.login() and WANDB_MODE out of the training script: the start script sets WANDB_MODE=offline.`,
    );
  }
  if (found.otherIds.length > 0) {
    return new Failure(
      'JobNeverLogged',
      `Run ${runId} was never begun below ${folder}, but a run with another id was: ${found.otherIds.join(', ')}. Expected the id from WANDB_RUN_ID. Take id=… out of wandb.init(…) in the training script.`,
    );
  }
  return new Failure(
    'JobNeverLogged',
    `No W&B run was begun below ${folder}. Expected run ${runId}: the training script must call wandb.init(), without mode=…, and keep WANDB_DIR, WANDB_MODE and WANDB_RUN_ID as the start script sets them (mode="disabled" writes nothing). See the job's output.log.`,
  );
}
