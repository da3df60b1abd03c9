import { TestWorkflowEnvironment } from '@temporalio/testing';

import { fingerprintOf } from '../../../activities/qizhi/fingerprint.ts';
import { jobWorkflowId } from '../../../domain/ids.ts';
import { Failure } from '../../../infra/failure.ts';
import { addSearchAttributes } from '../../../infra/temporal/search-attributes.ts';
import type { Tools } from '../../../infra/tools/ensure-tools.ts';
import { decisionSignals } from '../../../workflows/contract.ts';
import { jobIdOf, scriptedWorld, type ScriptedWorld } from '../../support/scripted-activities.ts';
import { seldomLookedAt } from '../../support/seldom-looked-at.ts';
import {
  startExperiment,
  startWorkers,
  statusOf,
  bundledWorkflows,
} from '../../support/temporal-environment.ts';
import { seeVirtualJob, type VirtualJob } from './virtual-job.ts';

const mostEvents = 60;
const pollSeconds = 300;
const job: VirtualJob = {
  jobId: jobIdOf(0),
  gpus: 8,
  stretches: [
    { days: 9, state: 'queued' },
    { days: 12, state: 'running' },
  ],
};

/**
 * A job that queues for 9 days and trains for 12, on the time-skipping server: how many events its own workflow's history
 * gets. Returns whether that is within the aim. What a wait adds does not depend on how often is asked: no look that
 * shows nothing new is an event.
 */
export async function benchWaits({
  temporalTestServer,
}: Pick<Tools, 'temporalTestServer'>): Promise<boolean> {
  const env = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: temporalTestServer } },
  });
  try {
    await addSearchAttributes(env.connection, 'default');
    const begun = Date.now();
    const world = waitingWorld(env);
    const workflowBundle = await bundledWorkflows();
    const stop = await startWorkers(env.nativeConnection, workflowBundle, { current: world.scripted });
    const handle = await startExperiment(env.client, {
      policy: { qizhiPollSeconds: pollSeconds },
      note: { budget: { gpu_hours: 10_000, attempts: 1 } },
    });
    while ((await statusOf(handle)).phase !== 'deciding') await env.sleep('12 hours');
    await handle.signal(decisionSignals.merge);
    await handle.result();
    const id = handle.workflowId.slice('experiment/'.length);
    const history = await env.client.workflow.getHandle(jobWorkflowId(id, 1, 0)).fetchHistory();
    const events = history.events?.length ?? 0;
    await stop();
    console.log(
      `${events} events (aim: at most ${mostEvents}) in the history of a job that waited 21 days; ` +
        `${world.looks()} looks, ${((Date.now() - begun) / 1000).toFixed(0)} s of real time`,
    );
    return events <= mostEvents;
  } finally {
    await env.teardown();
  }
}

function waitingWorld(env: TestWorkflowEnvironment) {
  let looks = 0;
  let createdAt = 0;
  const look = async () => {
    looks += 1;
    return seeVirtualJob(job, createdAt, await env.currentTimeMs());
  };
  const retryAfterMs = pollSeconds * 1000;
  const scripted: ScriptedWorld = scriptedWorld({
    ...seldomLookedAt(() => scripted, pollSeconds),
    createJob: async () => {
      createdAt = await env.currentTimeMs();
      return { status: 'created', jobId: job.jobId };
    },
    awaitJobChange: async ({ since }) => {
      const { observation } = await look();
      const fingerprint = fingerprintOf(observation, false);
      if (fingerprint === since) throw new Failure('JobUnchanged', 'nothing changed', { retryAfterMs });
      return { observation, fingerprint };
    },
    awaitRecordsChange: async ({ since }) => {
      const { records } = await look();
      const { claim, exit } = records;
      const fingerprint = claim === null ? 'nothing' : JSON.stringify([claim, exit]);
      if (fingerprint === since) throw new Failure('RecordsUnchanged', 'nothing changed', { retryAfterMs });
      return { records, fingerprint };
    },
  });
  return { scripted, looks: () => looks };
}
