/**
 * Records the histories of experiments that did not end in a merge, on a real Temporal server with scripted activities:
 * `npm run record [-- <shape> …]`. The merged one is recorded from the demo itself: `npm run demo -- --record test/replay/histories`.
 * Record only for a new shape of experiment: a history that no longer replays means that running experiments would break.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import type { ExperimentPolicy, ExperimentStatus } from '../../domain/experiment.ts';
import type { TaskNote } from '../../domain/task-note.ts';
import { decisionSignals, queues, settleSignal } from '../../workflows/contract.ts';
import type { JanitorWorkflow } from '../../workflows/index.ts';
import type { JanitorInput } from '../../domain/orphan.ts';
import { Failure } from '../../infra/failure.ts';
import { ensureTools } from '../../infra/tools/ensure-tools.ts';
import { processEnvironment } from '../../infra/env.ts';
import { saveHistories } from '../../infra/temporal/save-histories.ts';
import {
  emptyRecords,
  exited,
  jobIdOf,
  observation,
  scriptedWorld,
  trained,
  type ScriptedWorld,
} from '../support/scripted-activities.ts';
import {
  startExperiment,
  startTemporalEnvironment,
  statusOf,
  withWorld,
} from '../support/temporal-environment.ts';

type Handle = Awaited<ReturnType<typeof startExperiment>>;

const root = join(import.meta.dirname, '..', '..');
const directory = join(import.meta.dirname, 'histories');

/** Long enough for any of these; a shape that does not come is an error and no endless wait. */
const patience = 60_000;

/** Until the experiment waits for its `attempt`-th decision. */
async function untilDeciding(handle: Handle, attempt: number): Promise<void> {
  await until(handle, ({ phase, attempts }) => phase === 'deciding' && attempts.length === attempt);
}

async function until(handle: Handle, reached: (status: ExperimentStatus) => boolean): Promise<void> {
  const limit = Date.now() + patience;
  while (!reached(await statusOf(handle))) {
    if (Date.now() > limit) throw new Error(`${handle.workflowId} did not come that far`);
    await delay(200);
  }
}

/** Each shape: its world, and what is said to the experiment until it ends. */
interface Shape {
  readonly idea?: boolean;
  readonly world: () => ScriptedWorld;
  readonly note?: Partial<TaskNote>;
  readonly policy?: Partial<ExperimentPolicy>;
  readonly act: (handle: Handle, world: ScriptedWorld) => Promise<void>;
}

const claimed = { ...emptyRecords, claim: { jobId: jobIdOf(0), host: 'node', at: 0 } };
const toldToEnd = { ...claimed, exit: exited(143, { signal: 'TERM', reason: 'the job was told to stop' }) };
const preempted = {
  observation: observation({ state: 'failed', rawStatus: 'job_failed', evicted: true }),
  records: toldToEnd,
};
const stoppedThere = {
  observation: observation({ state: 'stopped', rawStatus: 'job_stopped' }),
  records: toldToEnd,
};

const shapes: Record<string, Shape> = {
  rejected: {
    world: () => scriptedWorld(),
    act: async (handle) => {
      await untilDeciding(handle, 1);
      await handle.signal(decisionSignals.merge, { by: 'pi', head: '0'.repeat(40) });
      await handle.signal(decisionSignals.revise, { by: 'pi', instructions: 'a longer warm-up' });
      await untilDeciding(handle, 2);
      await handle.signal(decisionSignals.rerun, { by: 'pi', seeds: [3, 4] });
      await untilDeciding(handle, 3);
      await handle.signal(decisionSignals.reject, { by: 'pi', reason: 'inside noise' });
    },
  },
  stopped: {
    world: () => {
      const world = scriptedWorld();
      world.jobs.set(0, { observation: observation(), records: emptyRecords });
      return world;
    },
    act: async (handle) => {
      await until(handle, ({ phase }) => phase === 'training');
      await handle.signal(decisionSignals.stop, { by: 'pi' });
    },
  },
  // Its first job is preempted, and a second attempt is made.
  retried: {
    world: () => {
      const world = scriptedWorld({
        writeAttempt: async ({ attempt, runs }) => {
          world.jobs.set(0, attempt === 1 ? preempted : trained(0));
          return runs.map(({ seed }) => ({ seed, command: `sh /shared/${attempt}/${seed}/start.sh` }));
        },
      });
      return world;
    },
    act: async (handle) => {
      await untilDeciding(handle, 2);
      await handle.signal(decisionSignals.reject, { by: 'pi' });
    },
  },
  // The platform cannot be reached at first, then the answer to the submission is lost, and a person settles it.
  settled: {
    world: () => {
      let tries = 0;
      const world = scriptedWorld({
        createJob: async () => {
          tries += 1;
          if (tries === 1) throw new Failure('QizhiUnavailable', 'nobody listens');
          return { status: 'unknown', reason: 'the connection was cut' };
        },
      });
      world.jobs.set(0, { observation: observation(), records: emptyRecords });
      return world;
    },
    policy: { unknownDeadlineMinutes: 0.01 },
    act: async (handle, world) => {
      await until(handle, ({ attempts }) => typeof attempts.at(-1)?.jobs[0]?.question === 'string');
      await handle.signal(settleSignal, { by: 'pi', seed: 0, jobId: jobIdOf(0) });
      world.jobs.set(0, trained(0));
      await untilDeciding(handle, 1);
      await handle.signal(decisionSignals.reject, { by: 'pi' });
    },
  },
  // Somebody stops the job on the platform, the PI says rerun, and then the GPU hours are used up.
  stalled: {
    world: () => {
      const world = scriptedWorld({
        writeAttempt: async ({ attempt, runs }) => {
          const running = { observation: observation({ gpuCount: 8 }), records: claimed };
          world.jobs.set(0, attempt === 1 ? stoppedThere : running);
          return runs.map(({ seed }) => ({ seed, command: `sh /shared/${attempt}/${seed}/start.sh` }));
        },
      });
      return world;
    },
    note: { budget: { gpu_hours: 0.01, attempts: 3 } },
    act: async (handle) => {
      await until(handle, ({ stalled }) => stalled);
      await handle.signal(decisionSignals.rerun, { by: 'pi' });
    },
  },
  // Its idea never becomes a task note.
  unplanned: {
    world: () =>
      scriptedWorld({
        planTaskNote: async () => {
          throw new Failure('TaskNoteInvalid', 'the metric is not logged');
        },
      }),
    idea: true,
    act: async () => undefined,
  },
  failed: {
    world: () => {
      const world = scriptedWorld();
      const { records } = trained(0);
      world.jobs.set(0, {
        observation: observation({ state: 'failed' }),
        records: { ...records, exit: exited(1) },
      });
      return world;
    },
    act: async () => undefined,
  },
};

const asked = process.argv.slice(2);
const visit = 'visit';
const known = [...Object.keys(shapes), visit];
const unknown = asked.filter((name) => !known.includes(name));
if (unknown.length > 0) throw new Error(`${unknown.join(', ')}: expected some of ${known.join(', ')}`);
const isAsked = (name: string): boolean => asked.length === 0 || asked.includes(name);

const tools = await ensureTools({
  root: join(root, '.tools'),
  which: ['temporal'],
  environment: processEnvironment(),
});
const temporal = await startTemporalEnvironment(tools.temporal);
for (const [name, shape] of Object.entries(shapes).filter(([key]) => isAsked(key))) {
  const world = shape.world();
  await withWorld(temporal, world, async () => {
    const { note = {}, policy = {}, idea = false } = shape;
    const handle = await startExperiment(temporal.client, { note, policy, idea });
    await shape.act(handle, world);
    await handle.result().catch((error: unknown) => console.log(`${name}: ${String(error)}`));
    console.log(await saveHistories(temporal.client, handle.workflowId, directory, name));
  });
}
if (isAsked(visit)) await withWorld(temporal, scriptedWorld(), recordVisit);
await temporal.close();

async function recordVisit(): Promise<void> {
  const input: JanitorInput = { dryRun: false, graceMinutes: 1, heartbeatSeconds: 1 };
  const handle = await temporal.client.workflow.start<typeof JanitorWorkflow>('JanitorWorkflow', {
    workflowId: 'janitor',
    taskQueue: queues.experiments,
    args: [input],
  });
  const { stopped } = await handle.result();
  if (stopped !== 1) throw new Error(`the janitor stopped ${stopped} jobs instead of one`);
  console.log(await saveHistories(temporal.client, handle.workflowId, directory, visit));
}
