import { ScheduleNotFoundError, WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';

import { sweepScheduleId } from '../infra/temporal/sweep-schedule.ts';
import type { SweepReport } from '../workflows/contract.ts';
import { innermostMessage } from './innermost-message.ts';
import type { TemporalLink } from './temporal-link.ts';

/** What the last sweep over the shared disk came to. */
export interface SeenSweep {
  /** When it began, ISO 8601, UTC. */
  readonly at: string;
  /** Null where it failed. */
  readonly report: SweepReport | null;
  /** Why it failed, for example a key that W&B does not accept; null where it did not. */
  readonly failure: string | null;
}

const seeDeadlineMs = 8000;
/** A sweep that goes on is passed over for the one before it. */
const mostLooks = 3;

/** Null where there is no schedule, or none of its last sweeps has ended. Throws `ClientError` (`unreachable`). */
export async function seeSweep(link: TemporalLink): Promise<SeenSweep | null> {
  return link.within(seeDeadlineMs, async () => {
    const actions = await recentSweeps(link);
    for (const { action, takenAt } of actions.toReversed().slice(0, mostLooks)) {
      const { workflowId, firstExecutionRunId } = action.workflow;
      const handle = link.client.workflow.getHandle<() => Promise<SweepReport>>(
        workflowId,
        firstExecutionRunId,
      );
      const at = takenAt.toISOString();
      try {
        if ((await handle.describe()).status.name === 'RUNNING') continue;
        return { at, report: await handle.result(), failure: null };
      } catch (error) {
        // Temporal forgets what ended longer ago than its retention.
        if (error instanceof WorkflowNotFoundError) continue;
        if (!(error instanceof WorkflowFailedError)) throw error;
        return { at, report: null, failure: innermostMessage(error) };
      }
    }
    return null;
  });
}

async function recentSweeps({ client }: TemporalLink) {
  try {
    return (await client.schedule.getHandle(sweepScheduleId).describe()).info.recentActions;
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return [];
    throw error;
  }
}
