import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';

import { afterEach, beforeEach, expect, inject, it, vi } from 'vitest';

import { startGuarded, type GuardedOptions } from '../../../infra/supervisor/guarded-process.ts';
import { supervise, type Service, type Supervised } from '../../../infra/supervisor/supervise.ts';
import { isAlive } from '../../support/up-world.ts';

const { python } = inject('tools');
const wait = { timeout: 20_000, interval: 20 };

let directory: string;
const running: Supervised[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'supervise-'));
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.stop()));
  await rm(directory, { recursive: true, force: true });
});

function guarded(script: string, more: Partial<GuardedOptions> = {}): GuardedOptions {
  return {
    python,
    argv: ['sh', '-c', script],
    cwd: directory,
    environment: { PATH: '/usr/bin:/bin' },
    graceSeconds: 5,
    log: new PassThrough().resume(),
    ...more,
  };
}

function start(script: string, more: Partial<Service> = {}): Supervised {
  const service: Service = {
    ...guarded(script),
    name: 'program',
    isReady: async () => true,
    readyWithinMs: 10_000,
    judgeEnds: async () => null,
    isAlive: async () => true,
    ...more,
  };
  const supervised = supervise(service, { python, aliveEveryMs: 20 });
  running.push(supervised);
  return supervised;
}

async function readyPid(supervised: Supervised, not = 0): Promise<number> {
  return vi.waitFor(() => {
    const state = supervised.state();
    if (state.status !== 'ready' || state.pid === not) throw new Error(state.status);
    return state.pid;
  }, wait);
}

async function pidIn(file: string): Promise<number> {
  return vi.waitFor(async () => {
    const pid = Number(await readFile(join(directory, file), 'utf8'));
    if (!(pid > 0)) throw new Error('not yet');
    return pid;
  }, wait);
}

it('tells how a program ended, and its last words', async () => {
  const { ended } = startGuarded(guarded('echo out; echo err >&2; exit 7'));
  expect(await ended).toMatchObject({
    code: 7,
    locked: false,
    words: expect.stringMatching(/out[^]*err|err[^]*out/),
  });
  expect(await startGuarded(guarded('kill -9 $$')).ended).toMatchObject({ code: 137 });
  const missing = startGuarded(guarded('', { argv: ['/nonexistent/program'] }));
  expect(await missing.ended).toMatchObject({
    code: 126,
    words: expect.stringContaining('/nonexistent/program'),
  });
});

it('asks a program to end and kills it when it does not', async () => {
  const polite = startGuarded(guarded('trap "exit 3" TERM; echo up; while :; do sleep 0.05; done'));
  await polite.pid;
  await vi.waitFor(async () => expect(await isAlive((await polite.pid) ?? 0)).toBe(true), wait);
  polite.stop();
  expect((await polite.ended).code).toSatisfy((code) => code === 3 || code === 143);
  const deaf = startGuarded(guarded('trap "" TERM; while :; do sleep 0.05; done', { graceSeconds: 0.3 }));
  await deaf.pid;
  deaf.stop();
  expect([137, 143]).toContain((await deaf.ended).code);
});

it('loses no word to end that comes in the very moment of the start', async () => {
  for (let round = 0; round < 30; round += 1) {
    const program = startGuarded(guarded('exec sleep 100', { graceSeconds: 90 }));
    await program.pid;
    program.stop();
    expect((await program.ended).code).toBe(143);
  }
}, 60_000);

it('starts a killed program again, and leaves none of its children behind', async () => {
  const supervised = start(
    'sh -c "echo $$ > child; exec sleep 100" & setsid sleep 101 & echo $! > detached; wait',
  );
  const first = await readyPid(supervised);
  const children = [await pidIn('child'), await pidIn('detached')];
  process.kill(first, 'SIGKILL');
  await readyPid(supervised, first);
  expect(supervised.restarts()).toBe(1);
  expect(await Promise.all([first, ...children].map(isAlive))).toEqual([false, false, false]);
});

it('ends a program that hangs, which hears no word to end, and starts it again', async () => {
  const states: string[] = [];
  let hanging = 0;
  const supervised = start('exec sleep 100', {
    graceSeconds: 0.3,
    isAlive: async (pid) => {
      states.push(supervised.state().status);
      return pid !== hanging;
    },
  });
  const first = await readyPid(supervised);
  await vi.waitFor(() => expect(states.length).toBeGreaterThan(10), wait);
  expect(supervised.restarts()).toBe(0);
  process.kill(first, 'SIGSTOP');
  hanging = first;
  await readyPid(supervised, first);
  expect(supervised.restarts()).toBe(1);
  expect(await isAlive(first)).toBe(false);
});

it('lets nothing live on when the guard itself is killed', async () => {
  const process_ = startGuarded(guarded('exec sleep 100'));
  const pid = (await process_.pid) ?? 0;
  process.kill(process_.guardPid, 'SIGKILL');
  await vi.waitFor(async () => expect(await isAlive(pid)).toBe(false), wait);
  expect((await process_.ended).code).toBe(137);
});

it('holds a lock until the program is gone, and says so when another one has it', async () => {
  const lock = join(directory, 'lock');
  const first = startGuarded(guarded('exec sleep 100', { lock }));
  await first.pid;
  const second = startGuarded(guarded('exit 0', { lock }));
  process.kill((await first.pid) ?? 0, 'SIGKILL');
  // The second one waits for the first to be gone.
  expect(await second.ended).toMatchObject({ code: 0, locked: false });
});

it('gives up with the error of the one who judges, after longer and longer pauses', async () => {
  const begun = Date.now();
  const supervised = start('echo broken; exit 2', {
    isReady: async () => false,
    judgeEnds: async (ends) => (ends.length < 3 ? null : new Error(ends.map(({ words }) => words).join())),
  });
  await expect(supervised.over).rejects.toThrow('broken,broken,broken');
  expect(Date.now() - begun).toBeGreaterThan(1400);
  expect(supervised.state().status).toBe('stopped');
});

it('ends a program that does not become ready in time, and starts it again', async () => {
  const supervised = start('exec sleep 100', {
    isReady: async () => false,
    readyWithinMs: 200,
    judgeEnds: async (ends) => (ends.length < 2 ? null : new Error('late')),
  });
  await expect(supervised.over).rejects.toThrow('late');
});

it('stops while it waits to start a program again', async () => {
  await writeFile(join(directory, 'fail'), '');
  const supervised = start('exit 1', { isReady: async () => false });
  await vi.waitFor(() => expect(supervised.state().status).toBe('waiting'), wait);
  await supervised.stop();
  expect(supervised.state().status).toBe('stopped');
});
