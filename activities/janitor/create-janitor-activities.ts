import { Context, heartbeat } from '@temporalio/activity';

import { jobWorkflowId } from '../../domain/ids.ts';
import type { QizhiClient } from '../../infra/qizhi/client.ts';
import {
  findJobOwner,
  findRunningJobWorkflows,
  listClosedJobWorkflows,
} from '../../infra/temporal/job-owners.ts';
import { guardActivities } from '../boundary.ts';
import type { JanitorControlActivities, Ownership, OwnerInput } from './interface.ts';
import { observeJobs } from './observe-jobs.ts';

export interface JanitorDependencies {
  readonly qizhi: Pick<QizhiClient, 'getJob'>;
  /** Between two questions to the platform, ms. */
  readonly pauseMs?: number;
}

/** The platform's gateway turns away about three requests a second; jobs that are waited for come first. */
const defaultPauseMs = 700;

/** The activities of the queue `qizhi` by which the janitor asks Temporal and the platform. */
export function createJanitorActivities({
  qizhi,
  pauseMs = defaultPauseMs,
}: JanitorDependencies): JanitorControlActivities {
  return guardActivities<JanitorControlActivities>({
    findOwners,
    listClosedJobs: (input) => listClosedJobWorkflows(Context.current().client, input),
    observeJobs: ({ jobIds }) => observeJobs(qizhi, jobIds, pauseMs),
  });
}

/** The index answers for many at once; whom it does not show as owned is looked at itself, because the index may lag. */
async function findOwners(input: readonly OwnerInput[]): Promise<readonly Ownership[]> {
  const { client } = Context.current();
  const ids = input.map(({ experimentId, attempt, seed }) => jobWorkflowId(experimentId, attempt, seed));
  const running = await findRunningJobWorkflows(client, ids);
  const found: Ownership[] = [];
  for (const [index, key] of input.entries()) {
    heartbeat({ index });
    const isRunning = running.has(ids[index] ?? '');
    found.push(
      isRunning
        ? { owner: { status: 'owned', by: 'its workflow' }, jobIds: [] }
        : await findJobOwner(client, key),
    );
  }
  return found;
}
