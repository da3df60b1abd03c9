import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { execa } from 'execa';
import { expect, it } from 'vitest';

import { aliveProcesses, knownProcess } from '../../bench/qizhi/processes.ts';

const nowhere = join(tmpdir(), 'hephaestus-no-folder-of-any-process');

it('counts a process that is still there, and no other one that was given its number', async () => {
  const child = execa('sleep', ['100'], { reject: false });
  const known = await knownProcess(child.pid ?? 0);
  try {
    expect(await aliveProcesses([known], nowhere)).toEqual([`${known.pid} sleep 100`]);
    expect(await aliveProcesses([{ ...known, identity: 'an earlier one' }], nowhere)).toEqual([]);
    expect(await aliveProcesses([{ ...known, identity: null }], nowhere)).toEqual([]);
  } finally {
    child.kill();
    await child;
  }
  expect(await aliveProcesses([known], nowhere)).toEqual([]);
});
