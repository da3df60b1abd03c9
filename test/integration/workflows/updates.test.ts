import { WorkflowUpdateFailedError, type WorkflowHandle } from '@temporalio/client';
import type { UpdateDefinition } from '@temporalio/common';
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';

import { experimentWorkflowId, jobName, jobWorkflowId } from '../../../domain/ids.ts';
import { decideUpdate, jobSettledSignal, queues, settleUpdate } from '../../../workflows/contract.ts';
import type { ExperimentWorkflow } from '../../../workflows/index.ts';
import { openBenchWorld, type BenchWorld } from '../../bench/qizhi/bench-world.ts';
import { pause } from '../../../infra/pause.ts';
import { replayAll } from '../../bench/qizhi/replay.ts';
import { startWorkerProcess } from '../../bench/qizhi/worker-processes.ts';
import { exampleNote } from '../../support/example-note.ts';
import { quickPolicy, quietRuntime, statusOf } from '../../support/temporal-environment.ts';
import type { IpcProcess } from '../../support/ipc-process.ts';

type Handle = WorkflowHandle<typeof ExperimentWorkflow>;

const ids = ['killed-0', 'killed-1', 'killed-2', 'killed-3', 'killed-4', 'killed-5'];
/** When the worker is killed: so long after the words were sent, and so long after its successor polls, ms. */
const killsAtMs = [40, 300];
const requestsPerSecond = 100;
/** A workflow task that died with its worker is given out again after ten seconds. */
const patiently = { timeout: 120_000, interval: 500 };

let world: BenchWorld;
let control: IpcProcess;
let networked: IpcProcess;
beforeAll(async () => {
  quietRuntime();
  world = await openBenchWorld(inject('tools'));
  [control, networked] = await Promise.all([
    startControl(),
    startWorkerProcess(world.workerSettings('networked', requestsPerSecond)),
  ]);
});
afterAll(async () => {
  await Promise.all([control.stop(), networked.stop()]);
  await world.close();
});

it('takes each update that was sent while workers were killed, and takes it once', async () => {
  // Every first submission comes to nothing without a word: only a person can settle it.
  await world.lab.addFault({ kind: 'drop', on: 'create', times: ids.length });
  const handles = await Promise.all(ids.map(startExperiment));
  await Promise.all(
    handles.map((handle) =>
      vi.waitFor(async () => {
        const { attempts } = await statusOf(handle);
        expect(attempts[0]?.jobs[0]?.question).toContain('Does the platform');
      }, patiently),
    ),
  );

  const answer = { by: 'pi', seed: 0, jobId: null };
  const settled = await whileKilled(() => sendTwice(handles, settleUpdate, answer));
  const asked = await Promise.all(handles.map(untilDeciding));

  for (const handle of handles) {
    // The same update again is answered as before; a new one comes too late.
    const updateId = settled.get(handle.workflowId) ?? '';
    await expect(handle.executeUpdate(settleUpdate, { args: [answer], updateId })).resolves.toEqual({
      status: 'accept',
    });
    const late: unknown = await handle
      .executeUpdate(settleUpdate, { args: [answer] })
      .catch((error: unknown) => error);
    expect(late).toBeInstanceOf(WorkflowUpdateFailedError);
    expect((late as WorkflowUpdateFailedError).cause).toMatchObject({ type: 'DecisionRefused' });
  }

  const word = { kind: 'merge', by: 'pi' } as const;
  await whileKilled(() => sendTwice(handles, decideUpdate, word));
  for (const handle of handles) await expect(handle.result()).resolves.toMatchObject({ outcome: 'merged' });

  const jobs = await world.lab.jobs();
  for (const [index, id] of ids.entries()) {
    const { attempt = 0, answers } = asked[index] ?? {};
    expect(await effectsOf(id)).toEqual({ settle: answers, decide: 1, passedOn: 1, merges: 1 });
    const names = jobs.map(({ request }) => request.name).filter((name) => name.includes(id));
    expect(names).toEqual([jobName(id, attempt, 0)]);
  }
  const workflows = ids.flatMap((id) => [experimentWorkflowId(id), jobWorkflowId(id, 1, 0)]);
  expect(await replayAll(world.client, world.bundleFile, workflows)).toEqual([]);
}, 300_000);

function startControl(): Promise<IpcProcess> {
  return startWorkerProcess(world.workerSettings('control', requestsPerSecond));
}

/** Kills the only worker that carries out workflows, and again its successor, while `speak` is on its way. */
async function whileKilled<T>(speak: () => Promise<T>): Promise<T> {
  const speaking = speak();
  const killing = (async () => {
    for (const ms of killsAtMs) {
      await pause(ms);
      await control.kill();
      control = await startControl();
    }
  })();
  const [spoken] = await Promise.all([speaking, killing]);
  return spoken;
}

/** Sends the words to each by two updates at once, of which one must be taken. Returns its id, by workflow. */
async function sendTwice<T>(
  handles: readonly Handle[],
  update: UpdateDefinition<unknown, [T]>,
  words: T,
): Promise<Map<string, string>> {
  const taken = handles.map(async (handle): Promise<[string, string]> => {
    const updateIds = [`${update.name}-one`, `${update.name}-two`];
    const answers = await Promise.allSettled(
      updateIds.map((updateId) => handle.executeUpdate(update, { args: [words], updateId })),
    );
    const accepted = updateIds.filter((_, index) => answers[index]?.status === 'fulfilled');
    expect(accepted, JSON.stringify(answers)).toHaveLength(1);
    return [handle.workflowId, accepted[0] ?? ''];
  });
  return new Map(await Promise.all(taken));
}

/**
 * A worker that is killed while it sends a later submission leaves that one open too: it is answered by what the platform
 * has. Returns the attempt that trained, and how many submissions were answered, the first one included.
 */
async function untilDeciding(handle: Handle): Promise<{ attempt: number; answers: number }> {
  const answered = new Set(['the first']);
  const attempt = await vi.waitFor(async () => {
    const { id, attempts, phase } = await statusOf(handle);
    const { number = 0, jobs = [] } = attempts.at(-1) ?? {};
    if (jobs.some(({ question }) => question !== null)) {
      const name = jobName(id, number, 0);
      const job = (await world.lab.jobs()).find(({ request }) => request.name === name);
      const answer = { by: 'pi', seed: 0, jobId: job?.id ?? null };
      const updateId = `answer-${number}`;
      await handle.executeUpdate(settleUpdate, { args: [answer], updateId });
      answered.add(updateId);
    }
    expect(phase).toBe('deciding');
    return number;
  }, patiently);
  return { attempt, answers: answered.size };
}

async function startExperiment(id: string): Promise<Handle> {
  await world.prepareSource(id);
  const base = exampleNote();
  const note = exampleNote({
    id,
    seeds: [0],
    job: { ...base.job, command: 'true' },
    budget: { gpu_hours: 8, attempts: 6 },
  });
  return world.client.workflow.start<typeof ExperimentWorkflow>('ExperimentWorkflow', {
    workflowId: experimentWorkflowId(id),
    taskQueue: queues.experiments,
    args: [
      {
        id,
        source: { kind: 'note', note, body: '## Why\nTo see.\n' },
        by: 'test',
        policy: { ...quickPolicy, unknownDeadlineMinutes: 0.02 },
      },
    ],
  });
}

/** How often the words were taken, and how often what follows from them was done. */
async function effectsOf(id: string): Promise<Record<'settle' | 'decide' | 'passedOn' | 'merges', number>> {
  const histories = await Promise.all(
    [experimentWorkflowId(id), jobWorkflowId(id, 1, 0)].map(
      async (workflowId) => (await world.client.workflow.getHandle(workflowId).fetchHistory()).events ?? [],
    ),
  );
  const [own = [], ofJob = []] = histories;
  const taken = (name: string): number =>
    own.filter(
      (event) => event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.input?.name === name,
    ).length;
  return {
    settle: taken(settleUpdate.name),
    decide: taken(decideUpdate.name),
    passedOn: ofJob.filter(
      (event) => event.workflowExecutionSignaledEventAttributes?.signalName === jobSettledSignal.name,
    ).length,
    merges: own.filter(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'mergePullRequest',
    ).length,
  };
}
