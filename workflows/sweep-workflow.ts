import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, setCurrentDetails, startChild } from '@temporalio/workflow';

import type { StrayRun, TendedRun } from '../activities/wandb/interface.ts';
import { syncWorkflowId } from '../domain/ids.ts';
import { tended, wandb } from './activities.ts';
import { stepTimeout, type SweepReport } from './contract.ts';

/** A sweep begins no more than this; the next one takes the rest. */
const mostAtOnce = 100;

/** Looks for runs on the shared disk that nobody brings to W&B, and has each of them brought there. */
export async function SweepWorkflow(): Promise<SweepReport> {
  const { strays, runs, quarantined } = await wandb.findStrays.executeWithOptions(
    { summary: 'runs that are not known to be at W&B' },
    [{ limit: mostAtOnce }],
  );
  let begun = 0;
  for (const stray of strays) if (await begin(stray)) begun += 1;
  const report = { runs, begun, underWay: strays.length - begun, quarantined };
  setCurrentDetails(describe(report));
  return report;
}

/** False when the run's lock is held: somebody brings it up at this moment. */
async function begin(stray: StrayRun): Promise<boolean> {
  try {
    await startChild<typeof StrayRunWorkflow>('StrayRunWorkflow', {
      workflowId: syncWorkflowId(stray.entity || 'default', stray.project, stray.runId),
      args: [stray],
      workflowTaskTimeout: stepTimeout,
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: `brings run ${stray.runId} of nobody to W&B`,
    });
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}

/** Brings one run of nobody to W&B: mirrored while it is alive, whole when it has ended. */
export async function StrayRunWorkflow(stray: StrayRun): Promise<TendedRun> {
  return tended.tendStray.executeWithOptions({ summary: `W&B run ${stray.runId}` }, [stray]);
}

function describe({ runs, begun, underWay, quarantined }: SweepReport): string {
  const lines = quarantined.map(({ folder, reason, cure }) => `- \`${folder}\`: ${reason}. ${cure}`);
  return [
    `${runs} runs, ${begun} begun, ${underWay} under way, ${quarantined.length} need a person`,
    ...lines,
  ].join('\n');
}
