import { Failure } from '../../infra/failure.ts';
import { findRunLogs } from '../../infra/wandb/find-run-log.ts';
import {
  type LoggedRun,
  readTransactionLog,
  type TransactionLog,
} from '../../infra/wandb/transaction-log.ts';

/** A log that can be sent: it names its run and holds rows. */
export interface RunLog {
  readonly path: string;
  readonly log: TransactionLog & { readonly run: LoggedRun; readonly lastStep: number };
}

/**
 * The log of a run below the attempt's folder. Throws `JobNeverLogged` with what was found instead, or
 * `WandbLogCorrupt` with the byte. A log that stops in the middle, as a killed job leaves it, is sound as far as it goes.
 */
export async function findLoggedRun(attemptFolder: string, runId: string): Promise<RunLog> {
  const found = await findRunLogs(attemptFolder, runId);
  // A job that began the run again left a second log; the newest is the one that it went on with.
  const path = found.offline.at(-1);
  if (path === undefined) throw missing(attemptFolder, runId, found);
  const log = await readTransactionLog(path);
  const { end, run, rows, lastStep } = log;
  if (end.status === 'corrupt') {
    throw new Failure(
      'WandbLogCorrupt',
      `${path} is damaged at byte ${end.offset}: ${end.why}; the ${rows} rows before it are sound. Expected what the W&B client wrote. Check the shared disk, then repeat the attempt (rerun); what is sound can be sent by hand with "wandb sync".`,
    );
  }
  if (run === null || rows === 0 || lastStep === null) {
    throw new Failure(
      'JobNeverLogged',
      `${path} holds no history row${run === null ? ' and not even the name of its run' : ''}. Expected at least one wandb.log(…) that reached the disk: W&B keeps the last seconds in memory, so a job that is killed early leaves nothing. See the job's output.log.`,
    );
  }
  return { path, log: { ...log, run, lastStep } };
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
