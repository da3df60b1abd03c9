import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, expect, inject, it } from 'vitest';

import { runCli } from '../../../client/cli/run-cli.ts';
import { openExperiments } from '../../../client/experiments.ts';
import type { JanitorReport } from '../../../domain/orphan.ts';
import {
  openJanitorWorld,
  startJanitorTemporal,
  type JanitorTemporal,
  type JanitorWorld,
} from './janitor-world.ts';

let temporal: JanitorTemporal;
let world: JanitorWorld | null = null;
beforeAll(async () => {
  temporal = await startJanitorTemporal(inject('tools').temporal);
});
afterEach(async () => {
  await world?.close();
  world = null;
});
afterAll(() => temporal.close());

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const written = { out: '', err: '' };
  const code = await runCli(['janitor', ...args], {
    env: {
      TEMPORAL_CONFIG_FILE: '/nonexistent',
      TEMPORAL_ADDRESS: temporal.server.address,
      HEPHAESTUS_JANITOR_GRACE_MINUTES: '1',
    },
    cwd: '/',
    streams: {
      stdout: { write: (text) => (written.out += text), isTTY: false },
      stderr: { write: (text) => (written.err += text), isTTY: true },
    },
    signal: new AbortController().signal,
    openExperiments,
    program: 'hephaestus',
  });
  return { code, ...written };
}

async function openAttempt(): Promise<JanitorWorld> {
  world = await openJanitorWorld(temporal);
  await mkdir(world.folder, { recursive: true });
  await writeFile(join(world.folder, 'attempt.json'), '{}\n');
  return world;
}

it('ends with 1 and says what to do when only a person can tell, and 0 once they have', async () => {
  const { key, folder } = await openAttempt();
  const first = await run();
  expect(first.code).toBe(1);
  expect(first.out).toMatch(
    new RegExp(`${key.experimentId}/1/0 .*undecided .*Temporal holds no workflow of it`),
  );
  expect(first.out).toMatch(/What you can do:\n.*find out whose it is/);
  expect(first.out).toMatch(
    /1 open attempts: 0 owned, 0 stopped, 0 taken back before a job came, 1 undecided/,
  );
  await writeFile(join(folder, 'exit.json'), '{"code":1}\n');
  const second = await run();
  expect(second.code).toBe(0);
  expect(second.out).toMatch(/^0 open attempts/);
});

it('prints one document with --json, progress elsewhere, and changes nothing with --dry-run', async () => {
  const { folder } = await openAttempt();
  const { code, out, err } = await run('--dry-run', '--json');
  expect(code).toBe(1);
  expect(JSON.parse(out) as JanitorReport).toMatchObject({ dryRun: true, looked: 1, undecided: 1 });
  expect(err).toMatch(/looking|asking|begins/);
  expect(await readdir(folder)).toEqual(['attempt.json']);
});

it('leaves a job of which the grace period of the settings is not over', async () => {
  const opened = await openAttempt();
  const owner = await opened.own([]);
  await owner.terminate('for the test');
  const { code, out } = await run();
  expect(code).toBe(0);
  expect(out).toMatch(/left .*its workflow was terminated 1 min ago: the grace period ends in 1 min/);
});
