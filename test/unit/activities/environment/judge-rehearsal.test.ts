import { describe, expect, it } from 'vitest';

import { judgeRehearsal, type Rehearsed } from '../../../../activities/environment/judge-rehearsal.ts';
import { packetsWithoutWay } from '../../../../activities/environment/rehearsal-facts.ts';

const good: Rehearsed = {
  code: 0,
  timeIsUp: false,
  connections: [],
  run: { status: 'offline', rows: 2, otherIds: [] },
  seconds: 3,
  outputTail: '',
  refusal: null,
  hasGpu: false,
};

function judge(change: Partial<Rehearsed>) {
  const { status, code } = judgeRehearsal({ ...good, ...change });
  return [status, code];
}

describe('judgeRehearsal', () => {
  it('passes a command that ended well, and one that was ended by the limit with its run begun', () => {
    expect(judge({})).toEqual(['passed', null]);
    expect(judge({ timeIsUp: true, code: 143, run: { ...good.run, rows: 0 } })).toEqual(['passed', null]);
  });

  it('needs the run also at the limit', () => {
    const run = { status: 'missing', rows: 0, otherIds: [] } as const;
    expect(judge({ timeIsUp: true, code: 143, run })).toEqual(['failed', 'run-missing']);
    expect(judge({ run })).toEqual(['failed', 'run-missing']);
  });

  it('holds a connection against a command that did all else well', () => {
    expect(judge({ connections: ['example.org:443 (train.py:3)'] })).toEqual([
      'failed',
      'connection-attempted',
    ]);
  });

  it('forgives a missing GPU only where there is none, and never a build without CUDA', () => {
    const outputTail = 'RuntimeError: Found no NVIDIA driver on your system.';
    expect(judge({ code: 1, outputTail })).toEqual(['skipped', 'needs-gpu']);
    expect(judge({ code: 1, outputTail, hasGpu: true })).toEqual(['failed', 'command-failed']);
    expect(judge({ code: 0, outputTail })).toEqual(['passed', null]);
    const without = 'AssertionError: Torch not compiled with CUDA enabled';
    expect(judge({ code: 1, outputTail: without })).toEqual(['failed', 'command-failed']);
  });

  it('tells a start script that refused apart from a command with the same exit code', () => {
    expect(judge({ code: 78, refusal: 'the environment is missing' })).toEqual(['failed', 'start-refused']);
    expect(judge({ code: 78 })).toEqual(['failed', 'command-failed']);
  });

  it('takes an end that was never written down for a kill', () => {
    expect(judge({ code: null })).toEqual(['failed', 'command-failed']);
  });
});

describe('packetsWithoutWay', () => {
  it('adds what the kernel counts for both versions of the protocol', () => {
    const counters =
      'Ip: Forwarding DefaultTTL OutNoRoutes OutTransmits\nIp: 2 64 3 9\nTcp: A\nTcp: 1\nIp6InReceives \t5\nIp6OutNoRoutes  \t4\n';
    expect(packetsWithoutWay(counters)).toBe(7);
    expect(packetsWithoutWay('')).toBe(0);
  });
});
