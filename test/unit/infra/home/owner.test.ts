import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { claimHome, liveOwner } from '../../../../infra/home/owner.ts';
import { processIdentity } from '../../../../infra/process-identity.ts';

const links = { address: '127.0.0.1:7233', uiUrl: 'http://127.0.0.1:8233' };

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'owner-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

async function writeOwner(pid: number, more: object = {}): Promise<void> {
  const identity = await processIdentity(pid);
  const startedAt = new Date().toISOString();
  const owner = {
    schema: 'hephaestus/owner/v1',
    pid,
    identity,
    host: hostname(),
    startedAt,
    ...links,
    ...more,
  };
  await writeFile(join(home, 'owner.json'), JSON.stringify(owner));
}

it('is held by a process that is alive, and free once it was killed', async () => {
  const other = spawn('sleep', ['100']);
  await once(other, 'spawn');
  await writeOwner(other.pid ?? 0);
  expect(await claimHome(home, links)).toMatchObject({ status: 'held', owner: { pid: other.pid } });
  other.kill('SIGKILL');
  await once(other, 'exit');
  expect(await liveOwner(home)).toBeNull();
  const claim = await claimHome(home, links);
  expect(claim.status).toBe('taken');
  expect(await liveOwner(home)).toMatchObject({ pid: process.pid });
  if (claim.status === 'taken') await claim.release();
  expect(await liveOwner(home)).toBeNull();
});

it('is free when the number of its process was given to another one since', async () => {
  const other = spawn('sleep', ['100']);
  await once(other, 'spawn');
  await writeOwner(other.pid ?? 0, { identity: 'another life' });
  expect(await liveOwner(home)).toBeNull();
  other.kill('SIGKILL');
});

it.each(['', '{', '{"schema":"else"}', 'null'])('is free when the file holds %j', async (text) => {
  await writeFile(join(home, 'owner.json'), text);
  expect(await liveOwner(home)).toBeNull();
  expect((await claimHome(home, links)).status).toBe('taken');
  expect(await readFile(join(home, 'owner.json'), 'utf8')).toContain(String(process.pid));
});

it('tells one process from the next', async () => {
  expect(await processIdentity(process.pid)).toBe(await processIdentity(process.pid));
  expect(await processIdentity(process.pid)).not.toBe(await processIdentity(process.ppid));
  expect(await processIdentity(2 ** 22 + 1)).toBeNull();
});
