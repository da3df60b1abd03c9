import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';

import type { Implementation } from '../../../activities/coding/interface.ts';
import { taskNotePath } from '../../../domain/ids.ts';
import { decisionSignals, nudgeSignal, qualitySignal } from '../../../workflows/contract.ts';
import { patiently, reaches, type ExperimentHandle } from '../../support/follow-experiment.ts';
import { failsWith, head, scriptedWorld } from '../../support/scripted-activities.ts';
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

const implementation: Implementation = {
  headSha: head,
  summary: 'a schedule',
  changedPaths: ['train.py'],
  tokens: 1,
  inspection: {
    paths: ['train.py', '.experiments/warmup-cosine/QWEN_TASK.md'],
    addedLines: 12,
    largest: { path: 'train.py', bytes: 900 },
    maxFileBytes: 5_242_880,
    taskNoteBlob: 'note',
  },
};

/** The pull request is looked at once the evidence is there: the phase alone does not tell that this look is over. */
async function warns(handle: ExperimentHandle, words: string): Promise<void> {
  await vi.waitFor(async () => {
    const { phase, warnings } = await statusOf(handle);
    expect([phase, warnings?.join()]).toEqual(['deciding', expect.stringContaining(words)]);
  }, patiently);
}

it('shows a line for each of its own checks, publishes them, and makes the draft ready', async () => {
  const world = scriptedWorld({ implementChange: async () => implementation });
  world.snapshot = { ...world.snapshot, taskNoteBlob: 'note', required: ['ci'], checks: [] };
  await withWorld(temporal, world, async () => {
    const handle = await startExperiment(temporal.client);
    await vi.waitFor(async () => expect((await statusOf(handle)).gate?.status).toBe('wait'), patiently);
    expect((await statusOf(handle)).gate?.reasons).toEqual(['check ci']);
    expect(world.calls.map(({ name }) => name)).not.toContain('markReady');
    world.snapshot = { ...world.snapshot, checks: [{ name: 'ci', state: 'success', url: null }] };
    await reaches(handle, 'deciding');
    const { gate } = await statusOf(handle);
    expect(gate?.lines?.map(({ name, state }) => [name, state])).toEqual([
      ['environment', 'passed'],
      ['command', 'passed'],
      ['W&B offline', 'passed'],
      ['budget', 'passed'],
      ['changed paths', 'passed'],
      ['no secret', 'passed'],
      ['file sizes', 'passed'],
      ['task note', 'passed'],
      ['check ci', 'passed'],
      ["Copilot's review", 'passed'],
      ['open threads', 'passed'],
    ]);
    await handle.signal(decisionSignals.reject);
    await handle.result();
  });
  const published = world.calls.filter(({ name }) => name === 'publishQuality').map(({ input }) => input);
  expect(published).toMatchObject([
    { state: 'pending' },
    { state: 'success', targetUrl: expect.any(String) },
  ]);
  expect(published.at(-1)).toMatchObject({ lines: expect.arrayContaining([expect.anything()]) as unknown });
  expect(world.calls.filter(({ name }) => name === 'markReady')).toHaveLength(1);
});

it('blocks with words when the task note changes in the pull request, and shows who let it pass', async () => {
  const world = scriptedWorld({ implementChange: async () => implementation });
  world.snapshot = { ...world.snapshot, taskNoteBlob: 'another' };
  await withWorld(temporal, world, async () => {
    const handle = await startExperiment(temporal.client);
    await vi.waitFor(async () => expect((await statusOf(handle)).gate?.status).toBe('block'), patiently);
    const { gate } = await statusOf(handle);
    const path = taskNotePath(handle.workflowId.replace('experiment/', ''));
    expect(gate?.reasons.join()).toContain(`${path} in the pull request is not the one`);
    await handle.signal(qualitySignal, { by: 'pi', verdict: 'pass', reason: 'a typing error in it' });
    await warns(handle, `${path} in the pull request is not the one that was tried`);
    const after = await statusOf(handle);
    expect(after.gate?.lines?.[0]).toMatchObject({ name: 'the word of pi', detail: 'a typing error in it' });
    const looks = world.calls.filter(({ name }) => name === 'awaitPullRequestChange');
    expect(new Set(looks.map(({ input }) => (input as { taskNotePath: string }).taskNotePath))).toEqual(
      new Set([path]),
    );
    await handle.signal(decisionSignals.reject);
    await handle.result();
  });
});

it('tells with the evidence that the branch was moved while the jobs trained', async () => {
  const world = scriptedWorld();
  await withWorld(temporal, world, async () => {
    world.hold('syncRun');
    const handle = await startExperiment(temporal.client);
    await world.reached('syncRun');
    world.snapshot = { ...world.snapshot, headSha: 'f'.repeat(40) };
    world.release('syncRun');
    await warns(handle, `git push --force origin ${head}:hephaestus/`);
    await handle.signal(decisionSignals.reject);
    await handle.result();
  });
});

it('puts the change on the newer base when revise follows a merge that conflicts', async () => {
  const world = scriptedWorld({
    mergePullRequest: failsWith('BaseMoved', 'lab/digits#1 conflicts with main: say revise'),
  });
  await withWorld(temporal, world, async () => {
    const handle = await startExperiment(temporal.client);
    await reaches(handle, 'deciding');
    await handle.signal(decisionSignals.merge, { by: 'pi' });
    await vi.waitFor(async () => {
      const { phase, refused } = await statusOf(handle);
      expect([phase, refused.length]).toEqual(['deciding', 1]);
    }, patiently);
    await handle.signal(decisionSignals.revise, { by: 'pi', instructions: 'bring it up to main' });
    await vi.waitFor(async () => {
      const { phase, attempts } = await statusOf(handle);
      expect([phase, attempts.length]).toEqual(['deciding', 2]);
    }, patiently);
    await handle.signal(decisionSignals.reject);
    await handle.result();
  });
  const rounds = world.calls.filter(({ name }) => name === 'implementChange').map(({ input }) => input);
  expect(rounds).toMatchObject([{ round: 0 }, { round: 1, ontoBase: true }]);
  expect(rounds[0]).not.toHaveProperty('ontoBase');
});

it('goes back to deciding by whatever a merge fails, and merges on the next word', async () => {
  const failures = ['GithubUnauthorized', 'GithubNotFound', 'NotMergeable', 'GithubInvalid'];
  const world = scriptedWorld({
    mergePullRequest: async () => {
      const type = failures.shift();
      if (type !== undefined) return failsWith(type, `refused by ${type}`)();
      return { mergeSha: 'c'.repeat(40) };
    },
  });
  await withWorld(temporal, world, async () => {
    const handle = await startExperiment(temporal.client);
    for (let said = 0; said < 4; said += 1) {
      await vi.waitFor(async () => {
        const { phase, refused } = await statusOf(handle);
        expect([phase, refused.length]).toEqual(['deciding', said]);
      }, patiently);
      await handle.signal(decisionSignals.merge, { by: 'pi' });
    }
    await vi.waitFor(async () => expect((await statusOf(handle)).refused).toHaveLength(4), patiently);
    await reaches(handle, 'deciding');
    await handle.signal(decisionSignals.merge, { by: 'pi' });
    expect(await handle.result()).toMatchObject({ outcome: 'merged' });
  });
});

it('waits for a person when somebody else pushed to the branch, and goes on after a nudge', async () => {
  let pushes = 0;
  const world = scriptedWorld({
    pushBranch: async () => {
      pushes += 1;
      if (pushes === 2)
        return failsWith('PushRefused', 'it holds abc, which is not a commit of Hephaestus')();
    },
  });
  await withWorld(temporal, world, async () => {
    const handle = await startExperiment(temporal.client);
    await reaches(handle, 'deciding');
    await handle.signal(decisionSignals.revise, { by: 'pi', instructions: 'longer' });
    await vi.waitFor(async () => {
      const { phase, waitingFor } = await statusOf(handle);
      expect([phase, waitingFor]).toEqual([
        'proposing',
        expect.stringContaining('not a commit of Hephaestus'),
      ]);
    }, patiently);
    await handle.signal(nudgeSignal, { delivery: 'one' });
    await vi.waitFor(async () => expect((await statusOf(handle)).attempts).toHaveLength(2), patiently);
    await reaches(handle, 'deciding');
    await handle.signal(decisionSignals.reject);
    await handle.result();
  });
  expect(pushes).toBe(3);
});
