import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';

import type { Command, HeardWord } from '../../../domain/command.ts';
import { nudgeSignal, qualityUpdate } from '../../../workflows/contract.ts';
import { head, scriptedWorld, type ScriptedWorld } from '../../support/scripted-activities.ts';
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

const patiently = { timeout: 90_000, interval: 250 };
const ever = new Date('2999-01-01').toISOString();
const long = new Date('2020-01-01').toISOString();

function word(commentId: number, command: Command, writtenAt = ever): HeardWord {
  const url = `http://github.example/lab/digits/pull/1#issuecomment-${commentId}`;
  return { commentId, url, by: 'ann', writtenAt, word: { status: 'command', command } };
}

const merge: Command = { kind: 'merge', head: undefined };

function answersOf(world: ScriptedWorld): unknown[] {
  return world.calls.filter(({ name }) => name === 'answerWord').map(({ input }) => input);
}

type Handle = Awaited<ReturnType<typeof startExperiment>>;

/** Until the comment shows the evidence of an attempt nobody can say anything about it. */
async function asks(handle: Handle, about: string): Promise<void> {
  await vi.waitFor(async () => expect((await statusOf(handle)).shown?.about).toContain(about), patiently);
}

describe('a word in a comment', () => {
  it('merges what is shown, and is answered by a reaction and in the comment', async () => {
    const world = scriptedWorld();
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client);
      await asks(handle, 'attempt 1');
      world.words.push(
        word(1, { kind: 'status' }),
        word(2, merge),
        word(3, { kind: 'reject', reason: 'no' }),
      );
      expect(await handle.result()).toMatchObject({ outcome: 'merged' });
      const { said, decision } = await statusOf(handle);
      expect(decision).toMatchObject({ kind: 'merge', by: 'ann', head, attempt: 1 });
      expect(said).toMatchObject([
        { commentId: 1, answer: 'taken' },
        { commentId: 2, answer: 'taken', why: 'what is shown is being merged' },
        {
          commentId: 3,
          answer: 'refused',
          why: expect.stringMatching(/another decision|already merging/) as string,
        },
      ]);
      expect(answersOf(world)).toMatchObject([
        { commentId: 1, answer: 'told' },
        { commentId: 2, answer: 'taken' },
        { commentId: 3, answer: 'refused' },
      ]);
      expect(world.calls.filter(({ name }) => name === 'mergePullRequest')).toHaveLength(1);
    });
  });

  it('is void when it is older than what is shown, and refused while there is nothing to decide', async () => {
    const world = scriptedWorld();
    world.hold('readResults');
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client);
      await world.reached('readResults');
      world.words.push(word(1, merge));
      await vi.waitFor(async () => expect((await statusOf(handle)).said).toHaveLength(1), patiently);
      world.release('readResults');
      await asks(handle, 'attempt 1');
      world.words.push(word(2, merge, long));
      await vi.waitFor(async () => expect((await statusOf(handle)).said).toHaveLength(2), patiently);
      const { said, phase } = await statusOf(handle);
      expect(phase).toBe('deciding');
      expect(said).toMatchObject([
        { answer: 'refused', why: expect.stringContaining('no evidence yet') as string },
        { answer: 'refused', why: expect.stringContaining('written before what is shown') as string },
      ]);
      world.words.push(word(3, { kind: 'rerun', seeds: [7] }));
      await vi.waitFor(async () => expect((await statusOf(handle)).attempts).toHaveLength(2), patiently);
      world.words.push(word(4, { kind: 'stop', reason: 'enough' }, long));
      expect(await handle.result()).toMatchObject({ outcome: 'stopped' });
    });
  });

  it('is heard at once when a webhook says so, however seldom is looked', async () => {
    const world = scriptedWorld();
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client, { policy: { githubPollSeconds: 3600 } });
      await asks(handle, 'attempt 1');
      world.words.push(word(1, { kind: 'reject', reason: 'worse' }));
      await handle.signal(nudgeSignal, { delivery: 'd-1', about: 'conversation' });
      expect(await handle.result()).toMatchObject({ outcome: 'rejected' });
    });
  });
});

describe('a pull request that is changed by hand', () => {
  it.each([
    ['closed', 'stopped'],
    ['merged', 'merged'],
  ] as const)('and %s while deciding ends as %s', async (state, outcome) => {
    const world = scriptedWorld();
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client);
      await asks(handle, 'attempt 1');
      world.snapshot = { ...world.snapshot, state };
      expect(await handle.result()).toMatchObject({ outcome });
      expect((await statusOf(handle)).decision).toMatchObject({ by: 'somebody on GitHub' });
    });
  });
});

describe('the quality gate on a word', () => {
  it('passes with name and reason shown, by update and by comment, and only while it asks', async () => {
    const blocked = { ...scriptedWorld().snapshot, checks: [], reviews: [] };
    const world = scriptedWorld();
    world.snapshot = blocked;
    await withWorld(temporal, world, async () => {
      const handle = await startExperiment(temporal.client);
      await asks(handle, 'the gate');
      const request = { by: 'ann', verdict: 'pass', reason: 'looked at it', head: 'b'.repeat(40) } as const;
      await expect(handle.executeUpdate(qualityUpdate, { args: [request] })).rejects.toThrow();
      world.words.push(word(1, { kind: 'approve-quality', reason: 'looked at it' }));
      await asks(handle, 'attempt 1');
      const { override, gate, said } = await statusOf(handle);
      expect(override).toMatchObject({ by: 'ann', verdict: 'pass', reason: 'looked at it', head });
      expect(gate).toMatchObject({ status: 'pass', reasons: ['ann said pass: looked at it'] });
      expect(said).toMatchObject([{ said: 'approve-quality', answer: 'taken' }]);
      const late = handle.executeUpdate(qualityUpdate, { args: [{ ...request, head: undefined }] });
      await expect(late).rejects.toThrow();
      world.words.push(word(2, merge));
      expect(await handle.result()).toMatchObject({ outcome: 'merged' });
    });
  });
});
