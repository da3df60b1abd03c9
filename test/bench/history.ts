import { join } from 'node:path';

import { TestWorkflowEnvironment } from '@temporalio/testing';
import proto from '@temporalio/proto';

import { processEnvironment } from '../../infra/env.ts';
import { Failure } from '../../infra/failure.ts';
import { addSearchAttributes } from '../../infra/temporal/search-attributes.ts';
import { ensureTools } from '../../infra/tools/ensure-tools.ts';
import { decisionSignals } from '../../workflows/contract.ts';
import {
  emptyRecords,
  jobIdOf,
  observation,
  scriptedWorld,
  trained,
} from '../support/scripted-activities.ts';
import {
  quietRuntime,
  startExperiment,
  startWorkers,
  statusOf,
  bundledWorkflows,
} from '../support/temporal-environment.ts';

const day = 24 * 3_600_000;
/**
 * What a wait adds to the history must not depend on how often is asked. The test server slows down with the number of
 * retries that it has seen, so the whole 14 days at 30 s are run by `-- history full` alone.
 */
const cases = [
  { waitingDays: 2, pollSeconds: 30 },
  { waitingDays: 14, pollSeconds: 300 },
];
const fullCase = { waitingDays: 14, pollSeconds: 30 };
const limits = { events: 150, bytes: 512 * 1024 };

export async function benchHistory(): Promise<void> {
  quietRuntime();
  for (const each of process.argv.includes('full') ? [fullCase] : cases) await benchWait(each);
}

/**
 * An experiment whose job queues for a quarter of the days and trains for the rest, both witnesses asked at the interval,
 * on the time-skipping server: how long its history gets, in events and in bytes of protobuf.
 */
async function benchWait({ waitingDays, pollSeconds }: (typeof cases)[number]): Promise<void> {
  const root = join(import.meta.dirname, '..', '..');
  const { temporalTestServer } = await ensureTools({
    root: join(root, '.tools'),
    environment: processEnvironment(),
  });
  const env = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: temporalTestServer } },
  });
  await addSearchAttributes(env.connection, 'default');
  let polls = 0;
  let createdAt = 0;
  const now = async (): Promise<number> => (await env.currentTimeMs()) - createdAt;
  const state = async () => {
    polls += 1;
    const age = await now();
    if (age > waitingDays * day) return trained(0);
    const claim = { jobId: jobIdOf(0), host: 'node', at: 0 };
    return age > (waitingDays / 4) * day
      ? { observation: observation(), records: { ...emptyRecords, claim } }
      : { observation: observation({ state: 'queued', rawStatus: 'job_queuing' }), records: emptyRecords };
  };
  const retryAfterMs = pollSeconds * 1000;
  const world = scriptedWorld({
    createJob: async () => {
      createdAt = await env.currentTimeMs();
      return { status: 'created', jobId: jobIdOf(0) };
    },
    awaitJobChange: async ({ since }) => {
      const seen = (await state()).observation;
      const fingerprint = JSON.stringify(seen);
      if (fingerprint === since) throw new Failure('JobUnchanged', 'nothing changed', { retryAfterMs });
      return { observation: seen, fingerprint };
    },
    awaitRecordsChange: async ({ since }) => {
      const { records } = await state();
      const fingerprint = JSON.stringify(records);
      if (fingerprint === since) throw new Failure('RecordsUnchanged', 'nothing changed', { retryAfterMs });
      return { records, fingerprint };
    },
  });
  const workflowBundle = await bundledWorkflows();
  const stop = await startWorkers(env.nativeConnection, workflowBundle, { current: world });
  const begun = Date.now();
  const handle = await startExperiment(env.client, { policy: { qizhiPollSeconds: pollSeconds } });
  for (;;) {
    await env.sleep('12 hours');
    if ((await statusOf(handle)).phase === 'deciding') break;
  }
  await handle.signal(decisionSignals.merge);
  await handle.result();
  const ids = [handle.workflowId, ...(await childrenOf(env, handle.workflowId))];
  const own = { events: 0, bytes: 0 };
  const all = { events: 0, bytes: 0 };
  for (const id of ids) {
    const history = await env.client.workflow.getHandle(id).fetchHistory();
    const size = proto.temporal.api.history.v1.History.encode(history).finish().length;
    console.log(
      `${String(history.events?.length ?? 0).padStart(6)} events ${String(size).padStart(8)} bytes  ${id}`,
    );
    for (const sum of id === handle.workflowId ? [own, all] : [all]) {
      sum.events += history.events?.length ?? 0;
      sum.bytes += size;
    }
  }
  console.log(
    `${polls} looks, every ${pollSeconds} s in ${waitingDays} days (virtual), ${((Date.now() - begun) / 1000).toFixed(0)} s (real)`,
  );
  told("the experiment's own history", own, limits);
  told('with those of its job and its sync', all, limits);
  await stop();
  await env.teardown();
}

function told(what: string, size: typeof limits, limit: typeof limits): void {
  const inside = size.events <= limit.events && size.bytes <= limit.bytes;
  console.log(
    `${what}: ${size.events} events (aim ${limit.events}), ${size.bytes} bytes (aim ${limit.bytes}): ${inside ? 'inside' : 'OVER'}`,
  );
}

async function childrenOf(env: TestWorkflowEnvironment, workflowId: string): Promise<string[]> {
  const { events } = await env.client.workflow.getHandle(workflowId).fetchHistory();
  const children = (events ?? []).flatMap(
    (event) => event.childWorkflowExecutionStartedEventAttributes?.workflowExecution?.workflowId ?? [],
  );
  return [...children, ...(await Promise.all(children.map((id) => childrenOf(env, id)))).flat()];
}
