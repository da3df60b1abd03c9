import { WorkflowUpdateFailedError } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';

import { decisionKinds, type DecisionKind } from '../../../domain/decision.ts';
import { decideUpdate, decisionSignals, qualitySignal } from '../../../workflows/contract.ts';
import {
  emptyRecords,
  head,
  observation,
  scriptedWorld,
  type ActivityName,
} from '../../support/scripted-activities.ts';
import {
  startExperiment,
  startTemporalEnvironment,
  statusOf,
  withWorld,
  type TemporalEnvironment,
} from '../../support/temporal-environment.ts';

let temporal: TemporalEnvironment;
beforeAll(async () => {
  temporal = await startTemporalEnvironment(inject('tools').temporal);
});
afterAll(() => temporal.close());

/** Every look replays the experiment on the worker under test: too many of them are what it would wait for. */
const patiently = { timeout: 90_000, interval: 250 };

/** The activity that holds an experiment in each phase. */
const holds: readonly { readonly phase: string; readonly activity: ActivityName }[] = [
  { phase: 'planning', activity: 'describeRepository' },
  { phase: 'implementing', activity: 'implementChange' },
  { phase: 'freezing', activity: 'freezeEnvironment' },
  { phase: 'proposing', activity: 'openPullRequest' },
  { phase: 'reviewing', activity: 'awaitPullRequestChange' },
  { phase: 'submitting', activity: 'writeAttempt' },
  { phase: 'syncing', activity: 'syncRun' },
  { phase: 'reporting', activity: 'readResults' },
];

describe.each(holds)('while $phase', ({ phase, activity }) => {
  it('refuses every decision but stop, by update and by signal, with the reason', async () => {
    const world = scriptedWorld();
    world.hold(activity);
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client);
      await world.reached(activity);
      for (const kind of decisionKinds.filter((each) => each !== 'stop')) {
        const refused: unknown = await handle
          .executeUpdate(decideUpdate, { args: [{ kind, by: 'pi' }] })
          .catch((error: unknown) => error);
        expect(refused).toBeInstanceOf(WorkflowUpdateFailedError);
        expect((refused as WorkflowUpdateFailedError).cause).toMatchObject({
          type: 'DecisionRefused',
          message: expect.stringContaining(phase) as string,
        });
        await handle.signal(decisionSignals[kind], { by: 'pi' });
      }
      await vi.waitFor(async () => {
        const { refused, phase: now } = await statusOf(handle);
        expect(now).toBe(phase);
        expect(refused.map(({ kind }) => kind)).toEqual(['merge', 'reject', 'revise', 'rerun']);
        expect(refused[0]?.why).toContain(phase);
      }, patiently);
      world.release(activity);
      await vi.waitFor(async () => expect((await statusOf(handle)).phase).toBe('deciding'), patiently);
      expect((await statusOf(handle)).decision).toBeNull();
      await handle.signal(decisionSignals.stop);
      await handle.result();
    });
  });

  it('stops on the word of the PI, and is cancelled by an operator, with the note written', async () => {
    for (const way of ['stop', 'cancel'] as const) {
      const world = scriptedWorld();
      world.hold(activity);
      await withWorld(temporal, world, async () => {
        const handle = await startExperiment(temporal.client);
        await world.reached(activity);
        await (way === 'stop' ? handle.signal(decisionSignals.stop, { by: 'pi' }) : handle.cancel());
        world.release(activity);
        const ended: unknown = await handle.result().catch((error: unknown) => error);
        if (way === 'stop') expect(ended).toMatchObject({ outcome: 'stopped' });
        else expect((await handle.describe()).status.name).toBe('CANCELLED');
      });
      expect(world.calls.filter(({ name }) => name === 'writeNote').map(({ input }) => input)).toMatchObject([
        { outcome: 'stopped' },
      ]);
      expect(world.calls.map(({ name }) => name)).not.toContain('mergePullRequest');
    }
  });
});

describe.each(['queued', 'running'] as const)('while a job is %s', (state) => {
  it.each(['stop', 'cancel'] as const)('%s stops the remote job before the note is written', async (way) => {
    const world = scriptedWorld();
    world.jobs.set(0, {
      observation: observation({ state, rawStatus: state === 'queued' ? 'job_queuing' : 'job_running' }),
      records: emptyRecords,
    });
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client);
      const phase = state === 'queued' ? 'queued' : 'training';
      await vi.waitFor(async () => expect((await statusOf(handle)).phase).toBe(phase), patiently);
      await (way === 'stop' ? handle.signal(decisionSignals.stop) : handle.cancel());
      await handle.result().catch((error: unknown) => error);
    });
    const names = world.calls.map(({ name }) => name);
    expect(names.filter((name) => name === 'stopJob')).toHaveLength(1);
    expect(names.indexOf('stopJob')).toBeLessThan(names.indexOf('writeNote'));
  });
});

describe('an experiment that an operator terminates', () => {
  it('has its remote job stopped all the same, by the job’s own workflow', async () => {
    const world = scriptedWorld();
    world.jobs.set(0, { observation: observation(), records: emptyRecords });
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client);
      await vi.waitFor(async () => expect((await statusOf(handle)).phase).toBe('training'), patiently);
      await handle.terminate('for the test');
      await vi.waitFor(() => expect(world.calls.map(({ name }) => name)).toContain('stopJob'), patiently);
    });
  });
});

describe('while deciding', () => {
  it('refuses a decision on a head that was not shown, and takes one on the head that was', async () => {
    const world = scriptedWorld();
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client);
      await vi.waitFor(async () => expect((await statusOf(handle)).phase).toBe('deciding'), patiently);
      const stale: unknown = await handle
        .executeUpdate(decideUpdate, { args: [{ kind: 'merge', by: 'pi', head: '0'.repeat(40) }] })
        .catch((error: unknown) => error);
      expect((stale as WorkflowUpdateFailedError).cause).toMatchObject({ type: 'DecisionRefused' });
      await handle.executeUpdate(decideUpdate, {
        args: [{ kind: 'merge', by: 'pi', head: head.slice(0, 12) }],
      });
      expect(await handle.result()).toMatchObject({ outcome: 'merged' });
    });
  });

  it.each([
    ['a word', 'merge!'],
    ['a list', [1, 2]],
    ['null', null],
    ['wrong types', { by: 7, head: {}, seeds: 'all' }],
  ])('takes a signal whose payload is %s as one without details', async (_name, payload) => {
    const world = scriptedWorld();
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client);
      await vi.waitFor(async () => expect((await statusOf(handle)).phase).toBe('deciding'), patiently);
      await handle.signal<[unknown]>('quality', payload);
      await handle.signal(qualitySignal);
      await handle.signal<[unknown]>('nudge', payload);
      await handle.signal<[unknown]>('merge', payload);
      expect(await handle.result()).toMatchObject({ outcome: 'merged' });
    });
  });

  it('refuses an update that names no decision', async () => {
    const world = scriptedWorld();
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client);
      await vi.waitFor(async () => expect((await statusOf(handle)).phase).toBe('deciding'), patiently);
      const refused: unknown = await handle
        .executeUpdate(decideUpdate, { args: [{ kind: 'explode' as DecisionKind, by: 'pi' }] })
        .catch((error: unknown) => error);
      expect((refused as WorkflowUpdateFailedError).cause).toMatchObject({ type: 'DecisionRefused' });
      await handle.signal(decisionSignals.reject);
      await handle.result();
    });
  });
});

describe('after the end', () => {
  it('has nobody left to take a decision, and the outcome stays', async () => {
    const world = scriptedWorld();
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client);
      await vi.waitFor(async () => expect((await statusOf(handle)).phase).toBe('deciding'), patiently);
      await handle.signal(decisionSignals.reject);
      await handle.result();
      await expect(handle.signal(decisionSignals.merge)).rejects.toThrow();
      expect((await statusOf(handle)).phase).toBe('rejected');
    });
  });
});
