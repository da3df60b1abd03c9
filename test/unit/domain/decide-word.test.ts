import { describe, expect, it } from 'vitest';

import type { Command } from '../../../domain/command.ts';
import { decideWord, type WordContext } from '../../../domain/decide-word.ts';
import { decideQuality } from '../../../domain/decide-quality.ts';
import { listenInterval } from '../../../domain/listen-interval.ts';
import type { Evidence } from '../../../domain/evidence.ts';
import { verdict } from '../../../domain/verdict.ts';

const head = 'a'.repeat(40);
const evidence: Evidence = {
  headSha: head,
  environmentDigest: 'e'.repeat(64),
  attempt: 2,
  jobs: [],
  metric: { name: 'val/loss', goal: 'minimize' },
  baseline: null,
  verdict: verdict([0.4], null, 'minimize'),
  gpuHours: 1,
  wallHours: 1,
};
const shown = { about: 'attempt 2', at: '2026-11-24T12:00:00Z' };
const deciding: WordContext = { asked: 'attempt 2', shown, evidence, headSha: head };

function say(command: Command, writtenAt: string, context = deciding) {
  const word = { status: 'command', command } as const;
  return decideWord({ commentId: 1, url: '', by: 'ann', writtenAt, word }, context);
}

const merge: Command = { kind: 'merge', head: undefined };

describe('a word', () => {
  it('is bound to the head and the attempt that the comment showed', () => {
    expect(say(merge, '2026-11-24T12:00:00Z')).toEqual({
      status: 'decide',
      request: { kind: 'merge', by: 'ann', head, attempt: 2 },
    });
    expect(say({ kind: 'merge', head: 'abcdef1' }, '2026-11-25T00:00:00Z')).toMatchObject({
      request: { head: 'abcdef1', attempt: 2 },
    });
  });

  it.each<Command>([
    merge,
    { kind: 'reject', reason: undefined },
    { kind: 'revise', instructions: 'x' },
    { kind: 'rerun', seeds: [1] },
    { kind: 'approve-quality', reason: 'x' },
  ])('is void when it was written before what is shown: %j', (command) => {
    expect(say(command, '2026-11-24T11:59:59Z')).toMatchObject({
      status: 'refuse',
      why: expect.stringContaining(
        'written before what is shown now (since 2026-11-24 12:00:00 UTC)',
      ) as string,
    });
  });

  it.each([
    ['nothing was shown', { ...deciding, shown: null }],
    ['something older is shown', { ...deciding, shown: { ...shown, about: 'attempt 1' } }],
  ])('is void while %s', (_what, context) => {
    expect(say(merge, '2026-11-25T00:00:00Z', context)).toMatchObject({
      status: 'refuse',
      why: expect.stringContaining('not shown in this comment yet') as string,
    });
  });

  it('stops at any time, and asks for the status at any time', () => {
    expect(say({ kind: 'stop', reason: undefined }, '2026-11-20T00:00:00Z')).toMatchObject({
      status: 'decide',
    });
    expect(say({ kind: 'status' }, '2026-11-20T00:00:00Z')).toEqual({ status: 'tell' });
  });

  it('is left to the phase while nothing is asked', () => {
    const training: WordContext = { asked: null, shown, evidence: null, headSha: head };
    expect(say(merge, '2026-11-24T11:00:00Z', training)).toMatchObject({ status: 'decide' });
  });
});

describe('a word on the quality gate', () => {
  const request = { by: 'ann', verdict: 'pass', reason: 'flaky' } as const;
  it.each([
    ['accept', request, 'reviewing', head],
    ['accept', { ...request, head: 'aaaaaaa' }, 'reviewing', head],
    ['refuse', { ...request, head: 'bbbbbbb' }, 'reviewing', head],
    ['refuse', { ...request, reason: ' ' }, 'reviewing', head],
    ['refuse', request, 'training', head],
    ['refuse', request, 'reviewing', null],
  ] as const)('is answered by %s: %j while %s', (status, asked, phase, headSha) => {
    expect(decideQuality(asked, { phase, headSha }).status).toBe(status);
  });
});

describe('listenInterval', () => {
  const minute = 60_000;
  const after = (quietMs: number, baseMs = minute) => listenInterval({ quietMs, baseMs, random: 0.5 });

  it('is the base at first, grows with the silence, and ends at three hours', () => {
    expect([0, 5 * minute, 10 * minute].map((quiet) => after(quiet))).toEqual([minute, minute, minute]);
    expect(after(60 * minute)).toBe(15 * minute);
    expect(after(30 * 24 * 60 * minute)).toBe(180 * minute);
    expect(after(0, 24 * 60 * minute)).toBe(24 * 60 * minute);
  });

  it('looks some 50 times in three days of silence', () => {
    let [at, looks] = [0, 1];
    for (; at < 3 * 24 * 60 * minute; looks += 1) at += after(at);
    expect(looks).toBeLessThan(55);
    expect(looks).toBeGreaterThan(40);
  });
});
