import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { findRunLogs } from '../../../../infra/wandb/find-run-log.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hephaestus-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function put(path: string): Promise<string> {
  const whole = join(folder, path);
  await mkdir(dirname(whole), { recursive: true });
  await writeFile(whole, '');
  return whole;
}

describe('findRunLogs', () => {
  it('takes a missing folder for an empty one', async () => {
    expect(await findRunLogs(join(folder, 'none'), 'a')).toEqual({ offline: [], online: [], otherIds: [] });
  });

  it('finds ids with dashes, the newest last, and follows no links', async () => {
    const second = await put('wandb/offline-run-20260102_000000-a-1-b/run-a-1-b.wandb');
    const first = await put('wandb/offline-run-20260101_000000-a-1-b/run-a-1-b.wandb');
    await symlink(dirname(second), join(folder, 'wandb', 'latest-run'));
    await put('wandb/offline-run-20260101_000000-a-1-b/run-a-1-b.wandb.synced');
    expect((await findRunLogs(folder, 'a-1-b')).offline).toEqual([first, second]);
  });

  it('tells other ids and online runs apart', async () => {
    await put('wandb/offline-run-20260101_000000-b/run-b.wandb');
    const online = await put('wandb/run-20260101_000000-a/run-a.wandb');
    expect(await findRunLogs(folder, 'a')).toEqual({ offline: [], online: [online], otherIds: ['b'] });
  });

  it.each(['.wandb', 'wandb/wandb'])('looks into %s as well', async (place) => {
    const path = await put(`${place}/offline-run-20260101_000000-a/run-a.wandb`);
    expect((await findRunLogs(folder, 'a')).offline).toEqual([path]);
  });
});
