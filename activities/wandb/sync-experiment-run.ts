import { cancellationSignal } from '@temporalio/activity';

import { Failure } from '../../infra/failure.ts';
import { type Delivery, type DeliverDeps, deliverRun } from '../../infra/wandb/deliver-run.ts';
import { holdRun, outlastsKilled } from '../../infra/wandb/hold-run.ts';
import { readLoggedRun } from '../../infra/wandb/transaction-log.ts';
import type { RunPath } from '../../infra/wandb/wandb-client.ts';
import { attemptDir } from '../attempts/attempt-paths.ts';
import { lookAtRecords } from '../attempts/read-records.ts';
import { findLoggedRun } from './find-logged-run.ts';
import type { SyncedRun, SyncInput } from './interface.ts';
import type { WandbTools } from './wandb-tools.ts';

/**
 * Brings one offline run to the server and returns what the server then says of it. What is there already is not sent
 * again: a repeat, also one after a crash half way, adds no row.
 */
export async function syncExperimentRun(tools: WandbTools, input: SyncInput): Promise<SyncedRun> {
  const folder = attemptDir(tools.sharedDir, input);
  const logs = await findLoggedRun(folder, input.runId);
  const path = await placeExperimentRun(tools, input, logs);
  const { exit } = await lookAtRecords(folder);
  const jobExitCode = exit?.code ?? null;
  const delivery = await holdRun(
    { logs, waitMs: outlastsKilled, signal: cancellationSignal() },
    ({ alone, signal }) => deliverRun(tools.deliver, { path, logs, jobExitCode, alone, signal }),
  );
  const { run, found, state } = delivery;
  if (state.status !== 'acknowledged' || run === null || found.lastStep === null) {
    throw toFailure(delivery, path, tools.deliver);
  }
  const { entity, project, runId, url, rows } = run;
  return { entity, project, runId, url, rows, lastStep: found.lastStep };
}

/** Where a run of an experiment goes: what its log says, else the task note, else the settings. */
export async function placeExperimentRun(
  tools: WandbTools,
  { runId, wandb }: SyncInput,
  logs: readonly string[],
): Promise<RunPath> {
  const run = await readLoggedRun(logs[0] ?? '');
  const logged = { entity: run?.entity ?? '', project: run?.project ?? '' };
  return tools.place({ runId, logged, fallback: wandb }, cancellationSignal());
}

function toFailure(
  { state, run, found, report }: Delivery,
  path: RunPath,
  { settings }: DeliverDeps,
): Failure {
  const name = `${path.entity}/${path.project}/${path.runId}`;
  const server = `W&B at ${settings.baseUrl}`;
  const where = found.logs.join(', ');
  const said = report === null || report.words === '' ? '' : ` The client said: ${report.words.slice(-1000)}`;
  switch (state.cause) {
    case 'corrupt':
      return new Failure(
        'WandbLogCorrupt',
        `${where}: ${state.reason}. Expected what the W&B client wrote. ${state.cure}`,
      );
    case 'empty':
      return new Failure(
        'JobNeverLogged',
        `${where} holds no history row${found.run === null ? ' and not even the name of its run' : ''}. Expected at least one wandb.log(…) that reached the disk: W&B keeps the last seconds in memory, so a job that is killed early leaves nothing. See the job's output.log.`,
      );
    case 'deleted':
      return new Failure(
        'WandbRunDeleted',
        `Run ${name} was deleted on ${server}, and W&B never takes a deleted id again. Restore it in its web page (project, "Undelete recently deleted runs"), or rerun the attempt: it gets new ids. The log stays at ${where}.`,
      );
    case 'refused':
      return new Failure(
        'WandbUnauthorized',
        `${server} did not let the API key write run ${name}: ${state.reason}. Expected a key that may write to ${path.entity}: check WANDB_API_KEY and WANDB_ENTITY.${said}`,
      );
    case 'surplus':
      return new Failure('WandbRowsSurplus', `Run ${name} at ${server}: ${state.reason}. ${state.cure}`);
    case null:
      break;
  }
  if (report?.statuses.some((status) => status === 429 || status >= 500) === true) {
    return new Failure('WandbUnavailable', `${server} did not take run ${name}; it is tried again.${said}`);
  }
  const seen =
    run === null ? 'no such run' : `${run.rows} rows up to step ${run.lastStep ?? 'none'}, ${run.state}`;
  const late = report?.ended === 'timed-out' ? ' wandb sync was stopped at its time limit.' : '';
  return new Failure(
    'WandbNotAcknowledged',
    `${server} shows ${seen} for run ${name}, expected ${found.rows} rows up to step ${found.lastStep ?? 'none'} as in ${where}: ${state.reason}.${late} It is tried again; if this lasts, look at the run in W&B.${said}`,
  );
}
