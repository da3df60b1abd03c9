import { setTimeout as delay } from 'node:timers/promises';

import type { ExperimentPolicy, ExperimentStatus } from '../../domain/experiment.ts';
import type { TaskNote } from '../../domain/task-note.ts';
import { Failure } from '../../infra/failure.ts';
import { decisionSignals, qualitySignal, settleSignal } from '../../workflows/contract.ts';
import {
  emptyRecords,
  exited,
  jobIdOf,
  observation,
  scriptedWorld,
  trained,
  worldWithFinding,
  type ScriptedWorld,
} from '../support/scripted-activities.ts';
import { statusOf, type startExperiment } from '../support/temporal-environment.ts';

type Handle = Awaited<ReturnType<typeof startExperiment>>;

/** Long enough for any of these; a shape that does not come is an error and no endless wait. */
const patience = 60_000;

/** Until the experiment waits for its `attempt`-th decision. */
export async function untilDeciding(handle: Handle, attempt: number): Promise<void> {
  await until(handle, ({ phase, attempts }) => phase === 'deciding' && attempts.length === attempt);
}

async function until(handle: Handle, reached: (status: ExperimentStatus) => boolean): Promise<void> {
  const limit = Date.now() + patience;
  while (!reached(await statusOf(handle))) {
    if (Date.now() > limit) throw new Error(`${handle.workflowId} did not come that far`);
    await delay(200);
  }
}

async function rejectAt(handle: Handle, attempt: number): Promise<void> {
  await untilDeciding(handle, attempt);
  await handle.signal(decisionSignals.reject, { by: 'pi' });
}

/** Its world, and what is said to the experiment until it ends. */
export interface ExperimentShape {
  readonly from?: 'idea' | 'pull-request';
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

/** Every way that an experiment can go, but for the merged one, which the demo records. */
export const experimentShapes: Readonly<Record<string, ExperimentShape>> = {
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
    act: async (handle) => rejectAt(handle, 2),
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
      await rejectAt(handle, 1);
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
  // Copilot finds something, the coding agent mends it, and the gate looks at the new head.
  repaired: {
    world: worldWithFinding,
    act: async (handle) => rejectAt(handle, 1),
  },
  // Somebody pushed to the branch: the gate blocks until a person says that it passes. Qwen Code opens the pull request.
  overridden: {
    world: () => {
      const world = scriptedWorld();
      world.snapshot = { ...world.snapshot, headSha: 'f'.repeat(40) };
      return world;
    },
    policy: { pullRequestBy: 'qwen' },
    act: async (handle) => {
      await until(handle, ({ gate }) => gate?.status === 'block');
      await handle.signal(qualitySignal, { by: 'pi', verdict: 'pass', reason: 'I pushed that myself' });
      await rejectAt(handle, 1);
    },
  },
  // A person's pull request, to which they push once more while the gate looks at it.
  adopted: {
    world: () => {
      let looks = 0;
      const world = scriptedWorld({
        adoptChange: async () => {
          looks += 1;
          const headSha = looks === 1 ? 'f'.repeat(40) : world.snapshot.headSha;
          return { headSha, summary: 'by hand', changedPaths: ['train.py', 'QWEN_TASK.md'], tokens: 0 };
        },
      });
      return world;
    },
    from: 'pull-request',
    act: async (handle) => rejectAt(handle, 1),
  },
  // Its idea never becomes a task note.
  unplanned: {
    world: () =>
      scriptedWorld({
        planTaskNote: async () => {
          throw new Failure('TaskNoteInvalid', 'the metric is not logged');
        },
      }),
    from: 'idea',
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
