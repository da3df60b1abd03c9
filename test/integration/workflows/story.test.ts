import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';

import type { ImplementInput } from '../../../activities/coding/interface.ts';
import type { Finding } from '../../../domain/decide-gate.ts';
import { Failure } from '../../../infra/failure.ts';
import { decideUpdate, decisionSignals, nudgeSignal, qualitySignal } from '../../../workflows/contract.ts';
import { failureOf, patiently, reaches } from '../../support/follow-experiment.ts';
import {
  exited,
  failsWith,
  head,
  headsWithFinding,
  jobIdOf,
  observation,
  scriptedWorld,
  trained,
  worldWithFinding,
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

describe('the way of an experiment', () => {
  it('goes from an idea to a merged pull request and a note, one job for each seed', async () => {
    const world = scriptedWorld();
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client, { from: 'idea' });
      await reaches(handle, 'deciding');
      const { evidence, phases } = await statusOf(handle);
      expect(evidence?.jobs.map(({ jobId }) => jobId)).toEqual([jobIdOf(0), jobIdOf(1)]);
      expect(evidence?.verdict.mean).toBeCloseTo(0.1005);
      expect(phases.map(({ phase }) => phase)).toEqual([
        'planning',
        'implementing',
        'freezing',
        'proposing',
        'reviewing',
        'submitting',
        expect.stringMatching(/queued|training|syncing/),
        ...phases.slice(7, -2).map(() => expect.stringMatching(/training|syncing/) as string),
        'reporting',
        'deciding',
      ]);
      await handle.executeUpdate(decideUpdate, { args: [{ kind: 'merge', by: 'pi', head }] });
      expect(await handle.result()).toMatchObject({ outcome: 'merged', mergeSha: 'c'.repeat(40) });
    });
    const names = world.calls.map(({ name }) => name);
    expect(names.filter((name) => name === 'createJob')).toHaveLength(2);
    expect(names.filter((name) => name === 'mergePullRequest')).toHaveLength(1);
    expect(names.filter((name) => name === 'writeNote')).toHaveLength(1);
  });

  it('rejects on the word of the PI, closes the pull request and notes it', async () => {
    const world = scriptedWorld();
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client);
      await reaches(handle, 'deciding');
      await handle.signal(decisionSignals.reject);
      expect(await handle.result()).toMatchObject({ outcome: 'rejected', mergeSha: null });
    });
    const names = world.calls.map(({ name }) => name);
    expect(names).toContain('closePullRequest');
    expect(names).not.toContain('mergePullRequest');
    expect(world.calls.find(({ name }) => name === 'writeNote')?.input).toMatchObject({
      outcome: 'rejected',
      decision: { by: 'somebody in the Temporal Web UI' },
    });
  });

  it('runs again with new seeds on rerun, and shows all seeds of the head together', async () => {
    const world = scriptedWorld();
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client);
      await reaches(handle, 'deciding');
      await handle.executeUpdate(decideUpdate, { args: [{ kind: 'rerun', by: 'pi' }] });
      await vi.waitFor(async () => {
        const { phase, evidence } = await statusOf(handle);
        expect([phase, evidence?.jobs.map(({ seed }) => seed)]).toEqual(['deciding', [0, 1]]);
      }, patiently);
      await handle.signal(decisionSignals.reject);
      await handle.result();
    });
  });

  it('sends the instructions of revise to the coding agent, as a new round', async () => {
    const world = scriptedWorld();
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client);
      await reaches(handle, 'deciding');
      await handle.executeUpdate(decideUpdate, {
        args: [{ kind: 'revise', by: 'pi', instructions: 'longer warm-up' }],
      });
      await vi.waitFor(async () => {
        const { phase, attempts } = await statusOf(handle);
        expect([phase, attempts.length]).toEqual(['deciding', 2]);
      }, patiently);
      await handle.signal(decisionSignals.reject);
      await handle.result();
    });
    const rounds = world.calls.filter(({ name }) => name === 'implementChange').map(({ input }) => input);
    expect(rounds).toMatchObject([
      { round: 0, instructions: null },
      { round: 1, instructions: 'longer warm-up' },
    ]);
  });

  it('goes back to deciding when GitHub refuses the merge, with the reason shown', async () => {
    let merges = 0;
    const world = scriptedWorld({
      mergePullRequest: async () => {
        merges += 1;
        if (merges === 1) return failsWith('HeadMoved', 'the head moved to bbbbbbb')();
        return { mergeSha: 'c'.repeat(40) };
      },
    });
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client);
      await reaches(handle, 'deciding');
      await handle.signal(decisionSignals.merge, { by: 'pi' });
      await vi.waitFor(async () => {
        const { phase, refused } = await statusOf(handle);
        expect([phase, refused[0]?.why]).toEqual(['deciding', 'the head moved to bbbbbbb']);
      }, patiently);
      await handle.signal(decisionSignals.merge, { by: 'pi' });
      expect(await handle.result()).toMatchObject({ outcome: 'merged' });
    });
  });
});

describe('the gate', () => {
  it('sends findings back to the coding agent and looks at the new head', async () => {
    const world = worldWithFinding();
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client);
      await reaches(handle, 'deciding');
      expect((await statusOf(handle)).headSha).toBe(headsWithFinding[1]);
      await handle.signal(decisionSignals.reject);
      await handle.result();
    });
    const received = world.calls
      .filter(({ name }) => name === 'implementChange')
      .flatMap(({ input }) => (input as ImplementInput).findings);
    expect(received).toMatchObject([{ source: 'Copilot', path: 'train.py', line: 3, text: 'set the seed' }]);
  });

  it('sends a command that fails in its rehearsal back, and waits for a person when nothing comes of that', async () => {
    const failed = {
      status: 'failed',
      code: 'command-failed',
      sentence: 'the command ended with exit code 1',
      sawRun: false,
      connections: [],
      missingGuarantees: [],
      seconds: 1,
      outputTail: "ModuleNotFoundError: No module named 'torch'",
    } as const;
    const received: Finding[] = [];
    const world = scriptedWorld({
      rehearseCommand: async () => failed,
      implementChange: async ({ round, findings }) => {
        received.push(...findings);
        if (round > 0) return failsWith('ChangeEmpty', 'no file was changed')();
        return { headSha: head, summary: '', changedPaths: ['train.py'], tokens: 1 };
      },
    });
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client);
      await vi.waitFor(async () => expect((await statusOf(handle)).gate?.status).toBe('block'), patiently);
      const { phase, gate } = await statusOf(handle);
      expect(phase).toBe('reviewing');
      expect(gate?.reasons.join()).toContain('command: the command ended with exit code 1');
      await handle.signal(decisionSignals.stop);
      await handle.result();
    });
    expect(received).toMatchObject([
      { source: 'command', text: expect.stringContaining("No module named 'torch'") as string },
    ]);
    // No GPU was asked for.
    expect(world.calls.map(({ name }) => name)).not.toContain('createJob');
  });

  it('waits for a person when it blocks, and obeys the override', async () => {
    const world = scriptedWorld();
    world.snapshot = { ...world.snapshot, headSha: 'f'.repeat(40) };
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client);
      await vi.waitFor(async () => expect((await statusOf(handle)).gate?.status).toBe('block'), patiently);
      await handle.signal(qualitySignal, { by: 'pi', verdict: 'pass', reason: 'I pushed that myself' });
      await reaches(handle, 'deciding');
      expect((await statusOf(handle)).gate?.reasons).toEqual(['pi said pass: I pushed that myself']);
      await handle.signal(decisionSignals.reject);
      await handle.result();
    });
  });

  it('looks again at once on a nudge, and a redelivered nudge changes nothing', async () => {
    const world = scriptedWorld();
    const reviewed = world.snapshot;
    world.snapshot = { ...reviewed, reviews: [] };
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client, { policy: { githubPollSeconds: 3600 } });
      await vi.waitFor(async () => expect((await statusOf(handle)).gate?.status).toBe('wait'), patiently);
      await handle.signal(nudgeSignal, { delivery: 'one' });
      await handle.signal(nudgeSignal, { delivery: 'one' });
      world.snapshot = reviewed;
      await handle.signal(nudgeSignal, { delivery: 'two' });
      await reaches(handle, 'deciding');
      await handle.signal(decisionSignals.reject);
      await handle.result();
    });
  });
});

describe('a message that comes while another look is under way', () => {
  it('is not missed: the pull request is looked at once more', async () => {
    const world = scriptedWorld({
      awaitPullRequestChange: async ({ since }) => {
        const { snapshot } = world;
        const fingerprint = JSON.stringify(snapshot);
        if (fingerprint === since)
          throw new Failure('GateUnchanged', 'as before', { retryAfterMs: 3_600_000 });
        looks += 1;
        // The second look read the old truth and is slow to say so.
        if (looks === 2) await slow.promise;
        return { snapshot, fingerprint };
      },
    });
    let looks = 0;
    const slow = Promise.withResolvers<void>();
    const reviewed = world.snapshot;
    world.snapshot = { ...reviewed, reviews: [] };
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client);
      await vi.waitFor(async () => expect((await statusOf(handle)).gate?.status).toBe('wait'), patiently);
      await handle.signal(nudgeSignal, { delivery: 'one' });
      await vi.waitFor(() => expect(looks).toBe(2), patiently);
      world.snapshot = reviewed;
      await handle.signal(nudgeSignal, { delivery: 'two' });
      slow.resolve();
      await reaches(handle, 'deciding');
      await handle.signal(decisionSignals.reject);
      await handle.result();
    });
  });
});

describe('an override that comes while the gate is still saying what it found', () => {
  it('is obeyed', async () => {
    const world = scriptedWorld({
      publishQuality: async ({ state }) => {
        if (state === 'failure') await saying.promise;
      },
    });
    const saying = Promise.withResolvers<void>();
    world.snapshot = { ...world.snapshot, headSha: 'f'.repeat(40) };
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client, { policy: { githubPollSeconds: 3600 } });
      await vi.waitFor(async () => expect((await statusOf(handle)).gate?.status).toBe('block'), patiently);
      await handle.signal(qualitySignal, { by: 'pi', verdict: 'pass', reason: 'I have looked' });
      saying.resolve();
      await reaches(handle, 'deciding');
      await handle.signal(decisionSignals.reject);
      await handle.result();
    });
  });
});

describe('jobs', () => {
  it('fails with the job’s own last words when every seed failed, and notes that', async () => {
    const world = scriptedWorld();
    const { records } = trained(0);
    world.jobs.set(0, {
      observation: observation({ state: 'failed', rawStatus: 'job_failed' }),
      records: {
        ...records,
        exit: exited(1),
        logTail: 'ValueError: no such file\n',
      },
    });
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client);
      const failure = await failureOf(handle);
      expect(failure.type).toBe('JobFailed');
      expect(failure.message).toContain('code 1');
      expect(failure.message).toContain('ValueError: no such file');
    });
    expect(world.calls.find(({ name }) => name === 'writeNote')?.input).toMatchObject({ outcome: 'failed' });
    expect(world.calls.map(({ name }) => name)).not.toContain('syncRun');
  });

  it('reports on the seeds that trained when another seed failed', async () => {
    const world = scriptedWorld();
    const { records } = trained(1);
    world.jobs.set(1, {
      observation: observation({ state: 'failed', rawStatus: 'job_failed' }),
      records: { ...records, exit: exited(1) },
    });
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client, { note: { seeds: [0, 1] } });
      await reaches(handle, 'deciding');
      const { evidence, attempts } = await statusOf(handle);
      expect(evidence?.jobs.map(({ seed }) => seed)).toEqual([0]);
      expect(attempts[0]?.jobs.map(({ state }) => state)).toEqual(['synced', 'failed']);
      await handle.signal(decisionSignals.reject);
      await handle.result();
    });
  });

  it('goes on by the disk alone when the platform can no longer be asked', async () => {
    const world = scriptedWorld({
      awaitJobChange: failsWith('QizhiUnauthorized', 'the password was refused'),
    });
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client);
      await reaches(handle, 'deciding');
      await handle.signal(decisionSignals.reject);
      await handle.result();
    });
  });
});

describe('what cannot begin', () => {
  it('fails with the repository’s name before anything is made', async () => {
    const world = scriptedWorld({
      describeRepository: failsWith('RepositoryNotFound', 'lab/nowhere does not exist'),
    });
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client);
      expect(await failureOf(handle)).toMatchObject({
        type: 'RepositoryNotFound',
        message: 'lab/nowhere does not exist',
      });
    });
    expect(world.calls.map(({ name }) => name)).not.toContain('prepareSource');
  });

  it('notes an idea that could not be planned', async () => {
    const world = scriptedWorld({ planTaskNote: failsWith('TaskNoteInvalid', 'the metric is not logged') });
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client, { from: 'idea' });
      expect(await failureOf(handle)).toMatchObject({ type: 'TaskNoteInvalid' });
      expect((await statusOf(handle)).note?.path).toMatch(/\.md$/);
    });
    const noted = world.calls.filter(({ name }) => name === 'writeNote').map(({ input }) => input);
    expect(noted).toMatchObject([
      {
        outcome: 'failed',
        task: { title: 'warm the learning rate up', metric: null, job: null },
        failure: 'TaskNoteInvalid: the metric is not logged',
      },
    ]);
  });
});
