import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';

import { Failure } from '../../../infra/failure.ts';
import { decideUpdate, decisionSignals, settleSignal, settleUpdate } from '../../../workflows/contract.ts';
import { failureOf, patiently, reaches, type ExperimentHandle } from '../../support/follow-experiment.ts';
import {
  emptyRecords,
  exited,
  failsWith,
  jobIdOf,
  observation,
  scriptedWorld,
  trained,
  type AllActivities,
  type ScriptedWorld,
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

const lost: Partial<AllActivities> = {
  createJob: async () => ({ status: 'unknown', reason: 'the connection was cut' }),
};
const claim = { jobId: jobIdOf(0), host: 'node', at: 0 };
const told = { signal: 'TERM', reason: 'the job was told to stop' };
const atOnce = { policy: { unknownDeadlineMinutes: 0.01 } };

function count(world: ScriptedWorld, name: keyof AllActivities): number {
  return world.calls.filter((call) => call.name === name).length;
}

async function rejected(handle: ExperimentHandle): Promise<void> {
  await reaches(handle, 'deciding');
  await handle.signal(decisionSignals.reject);
  await handle.result();
}

async function questionOf(handle: ExperimentHandle): Promise<string> {
  return vi.waitFor(async () => {
    const question = (await statusOf(handle)).attempts.at(-1)?.jobs[0]?.question;
    if (question === null || question === undefined) throw new Error('nothing is asked yet');
    return question;
  }, patiently);
}

describe('a submission whose answer was lost', () => {
  it('is settled by the claim on the disk, and never sent again', async () => {
    const world = scriptedWorld(lost);
    world.jobs.set(0, { observation: observation(), records: emptyRecords });
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client);
      await vi.waitFor(async () => {
        expect((await statusOf(handle)).attempts[0]?.jobs[0]?.state).toBe('unknown-submission');
      }, patiently);
      world.jobs.set(0, trained(0));
      await reaches(handle, 'deciding');
      expect((await statusOf(handle)).evidence?.jobs[0]?.jobId).toBe(jobIdOf(0));
      await rejected(handle);
    });
    expect(count(world, 'createJob')).toBe(1);
  });

  it("is settled by the platform's list where there is one", async () => {
    const world = scriptedWorld({
      ...lost,
      findSubmittedJob: async () => ({ status: 'found', jobId: jobIdOf(0) }),
      revokeAttempt: failsWith('AttemptConflict', 'must not be called'),
    });
    await withWorld(temporal, world, async () => rejected(await startExperiment(temporal.client)));
    expect(count(world, 'createJob')).toBe(1);
  });

  it('is made again as a new attempt when the list shows after the deadline that there is none', async () => {
    let sent = 0;
    const world = scriptedWorld({
      createJob: async ({ seed }) => {
        sent += 1;
        return sent === 1
          ? { status: 'unknown', reason: 'cut' }
          : { status: 'created', jobId: jobIdOf(seed) };
      },
      findSubmittedJob: async ({ pollSeconds }) => {
        if (pollSeconds === null) return { status: 'absent' };
        throw new Failure('JobUnchanged', 'not listed', { retryAfterMs: 100 });
      },
    });
    world.jobs.set(0, { observation: observation(), records: emptyRecords });
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client, {
        ...atOnce,
        note: { budget: { gpu_hours: 8, attempts: 2 } },
      });
      await vi.waitFor(() => expect(count(world, 'createJob')).toBe(2), patiently);
      world.jobs.set(0, trained(0));
      await reaches(handle, 'deciding');
      const { attempts } = await statusOf(handle);
      expect(attempts.map(({ number, jobs }) => [number, jobs[0]?.state])).toEqual([
        [1, 'failed'],
        [2, 'synced'],
      ]);
      await rejected(handle);
    });
    // The claim of the first attempt is taken before a second is made: a job that comes late leaves.
    const names = world.calls.map(({ name }) => name);
    expect(names.indexOf('revokeAttempt')).toBeLessThan(names.lastIndexOf('createJob'));
  });

  it('is asked about after the deadline: the id that a person gives is watched', async () => {
    const world = scriptedWorld(lost);
    world.jobs.set(0, { observation: observation(), records: emptyRecords });
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client, atOnce);
      expect(await questionOf(handle)).toContain('console show a job named hephaestus-experiment-');
      const { phase, waitingFor } = await statusOf(handle);
      expect([phase, waitingFor]).toEqual(['submitting', 'your answer about the submission of seed 0']);
      const wrong = { by: 'pi', seed: 0, jobId: 'job-1' };
      await expect(handle.executeUpdate(settleUpdate, { args: [wrong] })).rejects.toMatchObject({
        cause: { message: expect.stringContaining('is no job id') as string },
      });
      await handle.executeUpdate(settleUpdate, { args: [{ ...wrong, jobId: jobIdOf(0) }] });
      world.jobs.set(0, trained(0));
      await reaches(handle, 'deciding');
      const [job] = (await statusOf(handle)).attempts[0]?.jobs ?? [];
      expect(job).toMatchObject({ jobId: jobIdOf(0), question: null, state: 'synced' });
      await rejected(handle);
    });
    expect([count(world, 'createJob'), count(world, 'revokeAttempt')]).toEqual([1, 0]);
    // The question is where people look: in the pull request.
    const comments = world.calls
      .filter(({ name }) => name === 'updateComment')
      .map(({ input }) => JSON.stringify(input));
    expect(comments.some((text) => text.includes('Does the platform'))).toBe(true);
  });

  it('ends with that there is none when a person says so and no attempt is left, by a signal of the Web UI', async () => {
    const world = scriptedWorld(lost);
    world.jobs.set(0, { observation: observation(), records: emptyRecords });
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client, {
        ...atOnce,
        note: { budget: { gpu_hours: 8, attempts: 1 } },
      });
      await questionOf(handle);
      await handle.signal(settleSignal);
      await vi.waitFor(async () => {
        expect((await statusOf(handle)).refused[0]).toMatchObject({
          kind: 'settle',
          why: expect.stringContaining('"jobId"') as string,
        });
      }, patiently);
      await handle.signal(settleSignal, { seed: 0, jobId: null });
      const failure = await failureOf(handle);
      expect(failure.type).toBe('SubmissionUnknown');
      expect(failure.message).toMatch(
        /somebody in the Temporal Web UI says that the platform has no such job/,
      );
      expect(failure.message).toMatch(/no further attempt \(budget\)/);
    });
    expect([count(world, 'createJob'), count(world, 'revokeAttempt')]).toEqual([1, 1]);
  });

  it('is still settled by the claim while a person is being asked', async () => {
    const world = scriptedWorld(lost);
    world.jobs.set(0, { observation: observation(), records: emptyRecords });
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client, atOnce);
      await questionOf(handle);
      world.jobs.set(0, trained(0));
      await rejected(handle);
    });
    expect(count(world, 'revokeAttempt')).toBe(0);
  });
});

describe('a platform that cannot be reached', () => {
  it('is waited for before anything is created, and the job is then created once', async () => {
    let tries = 0;
    const world = scriptedWorld({
      createJob: async ({ seed }) => {
        tries += 1;
        if (tries < 3) throw new Failure('QizhiUnavailable', 'nobody listens');
        return { status: 'created', jobId: jobIdOf(seed) };
      },
    });
    await withWorld(temporal, world, async () => rejected(await startExperiment(temporal.client)));
    expect([count(world, 'createJob'), count(world, 'awaitPlatform')]).toEqual([3, 2]);
  });
});

describe('a job that ends badly', () => {
  const preempted = {
    observation: observation({
      state: 'failed',
      rawStatus: 'job_failed',
      evicted: true,
      runningMs: 3_600_000,
    }),
    records: { ...emptyRecords, claim, exit: exited(143, told) },
  };

  it('is tried again as a new attempt of its seed alone when that is nobody’s fault', async () => {
    const world = scriptedWorld({
      writeAttempt: async ({ attempt, runs }) => {
        world.jobs.set(0, attempt === 1 ? preempted : trained(0));
        return runs.map(({ seed }) => ({ seed, command: `sh /shared/${attempt}/${seed}/start.sh` }));
      },
    });
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client, { note: { seeds: [0, 1] } });
      await reaches(handle, 'deciding');
      const { attempts, evidence, cost } = await statusOf(handle);
      expect(attempts.map(({ jobs }) => jobs.map(({ seed, state }) => `${seed} ${state}`))).toEqual([
        ['0 failed', '1 synced'],
        ['0 synced'],
      ]);
      expect(attempts[0]?.jobs[0]).toMatchObject({
        outcome: 'preempted',
        detail: expect.stringContaining('JobPreempted') as string,
      });
      expect(evidence?.jobs.map(({ seed }) => seed).toSorted()).toEqual([0, 1]);
      // Three trainings of an hour on one GPU: what was lost was paid for, too.
      expect(cost.gpuHours).toBeCloseTo(3);
      await rejected(handle);
    });
    expect(count(world, 'createJob')).toBe(3);
  });

  it('waits for a word when only a person can help, and goes on with rerun', async () => {
    const stopped = {
      observation: observation({ state: 'stopped', rawStatus: 'job_stopped' }),
      records: { ...emptyRecords, claim, exit: exited(143, told) },
    };
    const world = scriptedWorld({
      writeAttempt: async ({ attempt, runs }) => {
        world.jobs.set(0, attempt === 1 ? stopped : trained(0));
        return runs.map(({ seed }) => ({ seed, command: `sh /shared/${attempt}/${seed}/start.sh` }));
      },
    });
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client);
      await vi.waitFor(async () => expect((await statusOf(handle)).stalled).toBe(true), {
        ...patiently,
        timeout: 120_000,
      });
      expect((await statusOf(handle)).waitingFor).toMatch(
        /^your word \(rerun, revise, reject or stop\): JobStopped/,
      );
      await expect(
        handle.executeUpdate(decideUpdate, { args: [{ kind: 'merge', by: 'pi' }] }),
      ).rejects.toThrow();
      await handle.executeUpdate(decideUpdate, { args: [{ kind: 'rerun', by: 'pi' }] });
      await reaches(handle, 'deciding');
      const { evidence, stalled } = await statusOf(handle);
      expect([evidence?.jobs.map(({ seed }) => seed), stalled]).toEqual([[0], false]);
      await rejected(handle);
    });
  });

  it('is stopped, not rejected, by a stop that comes while it waits for a word', async () => {
    const world = scriptedWorld();
    world.jobs.set(0, {
      observation: observation({ state: 'stopped', rawStatus: 'job_stopped' }),
      records: { ...emptyRecords, claim, exit: exited(143, told) },
    });
    await withWorld(temporal, world, async () => {
      const handles = await Promise.all(Array.from({ length: 4 }, () => startExperiment(temporal.client)));
      for (const handle of handles) {
        await vi.waitFor(async () => expect((await statusOf(handle)).stalled).toBe(true), {
          ...patiently,
          timeout: 120_000,
        });
        await handle.executeUpdate(decideUpdate, { args: [{ kind: 'stop', by: 'pi' }] });
        expect((await handle.result()).outcome).toBe('stopped');
      }
    });
  });

  it('is stopped when the GPU hours of the note are used up, and says so', async () => {
    const world = scriptedWorld({
      stopJob: async () => {
        world.jobs.set(0, {
          observation: observation({ state: 'stopped', rawStatus: 'job_stopped' }),
          records: { ...emptyRecords, claim, exit: exited(143, told) },
        });
        return observation({ state: 'stopped', rawStatus: 'job_stopped', runningMs: 4000, gpuCount: 8 });
      },
    });
    world.jobs.set(0, { observation: observation({ gpuCount: 8 }), records: { ...emptyRecords, claim } });
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client, {
        note: { budget: { gpu_hours: 0.005, attempts: 3 } },
      });
      const failure = await failureOf(handle);
      expect(failure.type).toBe('BudgetExceeded');
      expect(failure.message).toMatch(
        /the 0\.005 GPU hours that the task note allows .* are used up: 0\.00\d+ so far/,
      );
      const { attempts, phase } = await statusOf(handle);
      expect([phase, attempts[0]?.jobs[0]?.outcome]).toEqual(['failed', 'budget']);
    });
    expect([count(world, 'stopJob'), count(world, 'createJob')]).toEqual([1, 1]);
    // Where the job's record is late, the platform's word is taken after two minutes.
  }, 300_000);
});

describe('a budget that is only assumed to be used up', () => {
  it('stops no job before the platform has said what was really used', async () => {
    let firstLooks = 0;
    const queuedAgain = observation({
      state: 'queued',
      rawStatus: 'job_queuing',
      gpuCount: 8,
      runningMs: 500,
      round: 2,
    });
    const world = scriptedWorld({
      awaitJobChange: async ({ since }) => {
        if (since !== null) throw new Failure('JobUnchanged', 'it cannot be told', { retryAfterMs: 200 });
        firstLooks += 1;
        const seen = firstLooks === 1 ? observation({ gpuCount: 8, runningMs: 1 }) : queuedAgain;
        if (firstLooks > 1) world.jobs.set(0, trained(0));
        return { observation: seen, fingerprint: `look ${firstLooks}` };
      },
    });
    world.jobs.set(0, { observation: observation(), records: { ...emptyRecords, claim } });
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client, {
        note: { budget: { gpu_hours: 0.005, attempts: 3 } },
      });
      await rejected(handle);
    });
    expect(firstLooks).toBeGreaterThan(1);
    expect([count(world, 'stopJob'), count(world, 'createJob')]).toEqual([0, 1]);
  });
});

describe('stopping', () => {
  it('asks the job by the shared disk when the platform does not know it', async () => {
    const running = { ...emptyRecords, claim };
    const world = scriptedWorld({
      stopJob: async () => observation({ state: 'gone', rawStatus: '' }),
      requestStop: async () => {
        world.jobs.set(0, {
          observation: observation({ state: 'gone' }),
          records: { ...running, exit: exited(143, told) },
        });
      },
    });
    world.jobs.set(0, { observation: observation(), records: running });
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client);
      await reaches(handle, 'training');
      await handle.signal(decisionSignals.stop, { by: 'pi' });
      expect(await handle.result()).toMatchObject({ outcome: 'stopped' });
      const [job] = (await statusOf(handle)).attempts[0]?.jobs ?? [];
      expect(job?.detail).toContain('both the platform and the job say so');
    });
    expect(count(world, 'requestStop')).toBe(1);
  });
});
