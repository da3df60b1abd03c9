import { condition, ParentClosePolicy, startChild } from '@temporalio/workflow';

import { syncWorkflowId } from '../domain/ids.ts';
import type { SyncedRun, SyncInput } from '../activities/wandb/interface.ts';
import { mirror } from './activities.ts';
import { stepTimeout } from './contract.ts';
import type { Attempt, Experiment } from './experiment-state.ts';
import { tried } from './failures.ts';
import { noteOf } from './plan-and-code.ts';
import type { SyncRunWorkflow } from './sync-run-workflow.ts';

/** W&B writes a run's log out each 15 s: rows are at the server a few seconds after that. */
const mirrorSeconds = 5;

/**
 * Sends the rows of a run while its job trains, so that people see its curves grow; ends by being cancelled when the job
 * has ended. Whatever it could not send, the end sends: no trouble of its own ends an experiment.
 */
export async function mirrorRun(experiment: Experiment, attempt: Attempt, seed: number): Promise<void> {
  await condition(() => attempt.jobs.some((job) => job.seed === seed && job.state === 'running'));
  await tried('mirroring a run while it trains', async () => {
    await mirror.mirrorRun.executeWithOptions({ summary: `rows of seed ${seed}, live` }, [
      { ...syncInputOf(experiment, attempt, seed), pollSeconds: mirrorSeconds },
    ]);
  });
}

/** Brings what is left of a run to the server, and returns what the server then shows. */
export async function syncRun(experiment: Experiment, attempt: Attempt, seed: number): Promise<SyncedRun> {
  const input = syncInputOf(experiment, attempt, seed);
  const { wandb, runId } = input;
  const child = await startChild<typeof SyncRunWorkflow>('SyncRunWorkflow', {
    workflowId: syncWorkflowId(wandb.entity ?? 'default', wandb.project, runId),
    args: [input],
    workflowTaskTimeout: stepTimeout,
    // A sync that is cut short is worse than one that finishes a minute after nobody waits for it any more.
    parentClosePolicy: ParentClosePolicy.ABANDON,
    staticSummary: `brings run ${runId} to W&B`,
  });
  return child.result();
}

function syncInputOf({ input, note }: Experiment, { number, jobs }: Attempt, seed: number): SyncInput {
  return {
    experimentId: input.id,
    attempt: number,
    seed,
    runId: jobs.find((job) => job.seed === seed)?.runId ?? '',
    wandb: noteOf({ note }).wandb,
  };
}
