import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import type { WordCursor } from '../../../activities/github/conversation.ts';
import { lookOnce, type LookMemory } from '../../../activities/github/create-conversation-activities.ts';
import { lookAtInvitation } from '../../../activities/github/look-at-invitation.ts';
import { formatTaskNote } from '../../../domain/task-note-text.ts';
import { createGithubClient } from '../../../infra/github/create-github-client.ts';
import { exampleNote } from '../../support/example-note.ts';
import { exampleStatus } from '../../unit/activities/github/example-status.ts';
import { type GithubLab, proposal, repository, settingsOf, startLab } from './github-lab.ts';

let lab: GithubLab;
beforeAll(async () => {
  lab = await startLab({
    users: [
      { login: 'ann', access: 'write' },
      { login: 'stranger', access: 'none' },
    ],
  });
});
afterAll(() => lab.close());

const path = `/repos/${repository}`;
const fresh = (): WordCursor => ({
  since: new Date(Date.now() - 1000).toISOString(),
  known: [],
  state: 'open',
  strangersLeft: 20,
});

/** Reaches behind the test's own comments: GitHub's times have no fractions of a second, and a word may take one to be said. */
const lately = (): WordCursor => ({ ...fresh(), since: new Date(Date.now() - 20_000).toISOString() });

function memory(): LookMemory & { kept: string | null } {
  const made = {
    last: null as string | null,
    kept: null as string | null,
    keep: (text: string) => void (made.kept = text),
  };
  return made;
}

function lookAt(
  number: number,
  cursor: WordCursor,
  more: { once?: boolean; memory?: LookMemory; now?: number } = {},
) {
  const { once = true, memory: kept = memory(), now = Date.now() } = more;
  const input = { experimentId: 'x', repository, number, cursor, quietSince: 0, pollSeconds: 60, once };
  return lookOnce(lab.client, input, kept, now);
}

async function say(as: string, number: number, body: string): Promise<number> {
  const { status, data } = await lab.ask(as, 'POST', `${path}/issues/${number}/comments`, { body });
  expect(status).toBe(201);
  return (data as { id: number }).id;
}

function secondsNow(): number {
  return Math.floor(Date.now() / 1000);
}

/** GitHub tells times by the second. */
async function nextSecond(): Promise<void> {
  const now = secondsNow();
  await vi.waitFor(() => expect(secondsNow()).toBeGreaterThan(now), { timeout: 5000, interval: 20 });
}

let made = 0;
async function newPullRequest(): Promise<number> {
  made += 1;
  return (await lab.activities.openPullRequest(await proposal(lab, `talk-${made}`))).number;
}

async function wordsIn(number: number) {
  return (await lookAt(number, lately()))?.words ?? [];
}

describe('words below a pull request', () => {
  it('are heard of whoever may write, in order, once', async () => {
    const number = await newPullRequest();
    const cursor = fresh();
    const first = await say('pi', number, 'Good.\n\n/hephaestus merge');
    const second = await say('ann', number, '/hephaestus stop');
    const heard = await lookAt(number, cursor);
    expect(heard?.words).toMatchObject([
      { commentId: first, by: 'pi', word: { status: 'command', command: { kind: 'merge' } } },
      { commentId: second, by: 'ann', word: { status: 'command', command: { kind: 'stop' } } },
    ]);
    const later = heard?.cursor ?? cursor;
    expect((await lookAt(number, later))?.words).toEqual([]);
    const third = await say('pi', number, '/hephaestus status');
    expect((await lookAt(number, later))?.words.map(({ commentId }) => commentId)).toEqual([third]);
  });

  it.each([
    ['a reader', 'reader', 'only people with write permission'],
    ['its own account', 'hephaestus', 'the account that Hephaestus itself writes with'],
  ])('of %s are refused with the reason', async (_who, login, why) => {
    const number = await newPullRequest();
    await say(login, number, '/hephaestus merge');
    expect(await wordsIn(number)).toMatchObject([
      { by: login, word: { status: 'unclear', why: expect.stringContaining(why) as string } },
    ]);
  });

  it('are those of who may write now, not when it was written', async () => {
    const number = await newPullRequest();
    await say('ann', number, '/hephaestus merge');
    await lab.ask('pi', 'PUT', `${path}/collaborators/ann`, { permission: 'pull' });
    try {
      const words = await wordsIn(number);
      expect(words.filter(({ word }) => word.status === 'command')).toEqual([]);
    } finally {
      await lab.ask('pi', 'PUT', `${path}/collaborators/ann`, { permission: 'push' });
    }
    expect(await wordsIn(number)).toMatchObject([{ by: 'ann', word: { status: 'command' } }]);
  });

  it.each([
    ['a quote', '> /hephaestus merge'],
    ['a code block', '```\n/hephaestus merge\n```'],
    ['talk', 'I would merge this'],
    ['the marker of the sticky comment', '<!-- hephaestus:talk -->\n/hephaestus merge'],
  ])('are none in %s', async (_what, body) => {
    const number = await newPullRequest();
    await say('pi', number, body);
    expect(await wordsIn(number)).toEqual([]);
  });

  it('that were put into a comment later are refused, and of an older comment not even read', async () => {
    const number = await newPullRequest();
    const id = await say('pi', number, 'well done');
    await nextSecond();
    await lab.ask('pi', 'PATCH', `${path}/issues/comments/${id}`, { body: '/hephaestus merge' });
    expect((await lookAt(number, fresh()))?.words ?? []).toMatchObject([]);
    const early = { ...fresh(), since: new Date(Date.now() - 60_000).toISOString() };
    expect((await lookAt(number, early))?.words).toMatchObject([
      { commentId: id, word: { status: 'unclear', why: expect.stringContaining('edited') as string } },
    ]);
  });

  it('five thousand times in one comment are one, and a flood comes in portions', async () => {
    const number = await newPullRequest();
    await say('pi', number, '/hephaestus stop\n'.repeat(3800));
    expect(await wordsIn(number)).toHaveLength(1);
    for (let sent = 0; sent < 25; sent += 1) await say('pi', number, `/hephaestus rerun ${sent}`);
    const cursor = fresh();
    const first = await lookAt(number, { ...cursor, since: new Date(Date.now() - 120_000).toISOString() });
    expect(first?.words).toHaveLength(20);
    const rest = await lookAt(number, first?.cursor ?? cursor);
    expect(rest?.words).toHaveLength(6);
    const ids = [...(first?.words ?? []), ...(rest?.words ?? [])].map(({ commentId }) => commentId);
    expect(new Set(ids).size).toBe(26);
  });

  it('of strangers are told a few times and then no more', async () => {
    const number = await newPullRequest();
    for (let sent = 0; sent < 3; sent += 1) await say('reader', number, '/hephaestus merge');
    const heard = await lookAt(number, { ...lately(), strangersLeft: 2 });
    expect(heard?.words).toHaveLength(2);
    expect(heard?.cursor.strangersLeft).toBe(0);
    const own = await say('pi', number, '/hephaestus merge');
    const again = await lookAt(number, heard?.cursor ?? fresh());
    expect(again?.words.map(({ commentId }) => commentId)).toEqual([own]);
  });

  it('are answered by one reaction, however often', async () => {
    const number = await newPullRequest();
    const id = await say('pi', number, '/hephaestus status');
    for (const content of ['rocket', 'rocket', 'eyes'] as const) {
      await lab.client.addReaction(repository, id, content);
    }
    const { data } = await lab.ask('pi', 'GET', `${path}/issues/comments/${id}/reactions`);
    expect((data as { content: string }[]).map(({ content }) => content).toSorted()).toEqual([
      'eyes',
      'rocket',
    ]);
    await lab.ask('pi', 'DELETE', `${path}/issues/comments/${id}`);
    await expect(lab.client.addReaction(repository, id, 'rocket')).resolves.toBeUndefined();
  });

  it('wait for a credential that may ask who may write', async () => {
    const number = await newPullRequest();
    await say('pi', number, '/hephaestus merge');
    const blind = createGithubClient(settingsOf(lab.github, 'ghp_revoked'));
    const input = {
      experimentId: 'x',
      repository,
      number,
      cursor: fresh(),
      quietSince: 0,
      pollSeconds: 60,
      once: false,
    };
    await expect(lookOnce(blind, input, memory(), Date.now())).rejects.toMatchObject({
      type: 'GithubUnauthorized',
    });
    expect(await wordsIn(number)).toHaveLength(1);
  });

  it('cost one question while nothing moves, and are found however long that was', async () => {
    const number = await newPullRequest();
    const cursor = fresh();
    const kept = memory();
    expect(await lookAt(number, cursor, { once: false, memory: kept })).toBeNull();
    // So soon after a change GitHub's copies may lag: not to be relied on.
    expect(kept.kept).toBeNull();
    await lookAt(number, cursor, { once: false, memory: kept, now: Date.now() + 600_000 });
    const settled: LookMemory = { last: kept.kept, keep: () => undefined };
    const before = await lab
      .ask('pi', 'GET', '/_lab/stats')
      .then(({ data }) => (data as { requests: number }).requests);
    expect(await lookAt(number, cursor, { once: false, memory: settled })).toBeNull();
    const after = await lab
      .ask('pi', 'GET', '/_lab/stats')
      .then(({ data }) => (data as { requests: number }).requests);
    expect(after - before).toBe(1);
    await nextSecond();
    await say('pi', number, '/hephaestus merge');
    expect((await lookAt(number, cursor, { once: false, memory: settled }))?.words).toHaveLength(1);
  });

  it('tell that the pull request was closed', async () => {
    const number = await newPullRequest();
    await lab.ask('pi', 'PATCH', `${path}/pulls/${number}`, { state: 'closed' });
    expect((await lookAt(number, fresh(), { once: false }))?.cursor.state).toBe('closed');
  });
});

describe('the sticky comment', () => {
  it('is made anew, once, when somebody deleted it', async () => {
    const number = await newPullRequest();
    const input = { repository, number, status: exampleStatus(), pictures: [] };
    const id = async () => Number((await lab.activities.updateComment(input)).url.split('-').at(-1));
    const first = await id();
    await lab.ask('pi', 'DELETE', `${path}/issues/comments/${first}`);
    const second = await id();
    expect(second).not.toBe(first);
    expect(await id()).toBe(second);
    const { data } = await lab.ask('pi', 'GET', `${path}/issues/${number}/comments`);
    expect(data as unknown[]).toHaveLength(1);
  });
});

/** A pull request of a person, by default with a valid task note. */
async function offer(
  as: string,
  more: { note?: object; text?: string; files?: Record<string, string> } = {},
): Promise<number> {
  made += 1;
  const branch = `idea-${made}`;
  const note = { ...exampleNote({ id: branch, repository }), ...more.note };
  const text = more.text ?? formatTaskNote({ note, body: '## Why\nTo see.\n' });
  await lab.push(branch, more.files ?? { 'train.py': `a = ${made}\n`, 'QWEN_TASK.md': text });
  const pull = { title: 'My idea', head: branch, base: 'main' };
  const { data } = await lab.ask(as, 'POST', `${path}/pulls`, pull);
  return (data as { number: number }).number;
}

describe('a pull request that may start an experiment', () => {
  it('does when its author may write and its note is valid', async () => {
    const number = await offer('ann');
    expect(await lookAtInvitation(lab.client, { repository, number })).toMatchObject({
      status: 'welcome',
      by: 'ann',
      source: { kind: 'pull-request', branch: `idea-${made}`, pullRequest: { number } },
    });
  });

  it.each<[string, string, object, string]>([
    ['no note', 'ann', { files: { 'train.py': 'x = 1\n' } }, 'has no QWEN_TASK.md'],
    ['a note of nothing', 'ann', { text: 'hello' }, 'is not valid'],
    ['a note of another repository', 'ann', { note: { repository: 'lab/other' } }, 'is about lab/other'],
    ['a note of another branch', 'ann', { note: { base: 'dev' } }, 'is about the branch dev'],
  ])('does not with %s', async (_what, as, more, why) => {
    const number = await offer(as, more);
    expect(await lookAtInvitation(lab.client, { repository, number })).toMatchObject({
      status: 'none',
      why: expect.stringContaining(why) as string,
    });
  });

  it('does not when its author may write no more', async () => {
    const number = await offer('ann');
    await lab.ask('pi', 'PUT', `${path}/collaborators/ann`, { permission: 'pull' });
    try {
      expect(await lookAtInvitation(lab.client, { repository, number })).toMatchObject({
        status: 'none',
        why: `its author ann has no write permission to ${repository}`,
      });
    } finally {
      await lab.ask('pi', 'PUT', `${path}/collaborators/ann`, { permission: 'push' });
    }
  });

  it('does not once it is closed, nor when it is an experiment’s own', async () => {
    const number = await offer('ann');
    await lab.ask('pi', 'PATCH', `${path}/pulls/${number}`, { state: 'closed' });
    expect(await lookAtInvitation(lab.client, { repository, number })).toMatchObject({ why: 'it is closed' });
    const own = await newPullRequest();
    expect(await lookAtInvitation(lab.client, { repository, number: own })).toMatchObject({ status: 'none' });
  });

  it('never does from a fork', async () => {
    const number = await offer('ann');
    const sight = await lab.client.seePullRequest(repository, number);
    for (const headRepository of ['ann/digits', null]) {
      const fromFork = { ...lab.client, seePullRequest: async () => ({ ...sight, headRepository }) };
      expect(await lookAtInvitation(fromFork, { repository, number })).toMatchObject({
        status: 'none',
        why: expect.stringContaining('nothing from a fork') as string,
      });
    }
  });
});
