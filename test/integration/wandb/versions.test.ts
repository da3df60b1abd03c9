import { cp, mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';

import type { MirrorInput, SyncInput } from '../../../activities/wandb/interface.ts';
import { readTransactionLog } from '../../../infra/wandb/transaction-log.ts';
import { olderWandb } from './older-wandb.ts';
import { activityEnvironment, logPath, record, runPath as path, startWorld, syncInput } from './world.ts';

const older = await olderWandb();
const versions = [
  { name: 'the locked version', starts: /^0\.31\./, wandb: inject('tools').wandb },
  { name: '0.30', starts: /^0\.30\./, wandb: 'path' in older ? older.path : undefined },
];
const steps = 30;

let recordings: string;
beforeAll(async () => {
  recordings = await mkdtemp(join(tmpdir(), 'hephaestus-test-'));
});
afterAll(() => rm(recordings, { recursive: true, force: true }));

describe.for(versions)('with wandb $name', ({ starts, wandb }) => {
  it.for(['plain', 'mirrored', 'cut'] as const)(
    'brings a run up whole and once: %s',
    async (way, { skip }) => {
      if (wandb === undefined) return skip('missing' in older ? older.missing : 'not installed');
      const recorded = await record(recordings, { steps, bytes: 5_000, summary: 'min', exit: 3 }, wandb);
      const world = await startWorld();
      try {
        await cp(recorded, world.attempt, { recursive: true });
        const log = await logPath(world.attempt);
        if (way === 'cut') await truncate(log, 100_000);
        const { rows, producer } = await readTransactionLog(log);
        expect(producer).toMatch(starts);
        const activities = world.activitiesWith({ wandb });
        if (way === 'mirrored') {
          const input: MirrorInput = { ...syncInput, pollSeconds: 10 };
          const mirrored = activityEnvironment().run(
            (given: MirrorInput) => activities.mirrorRun(given),
            input,
          );
          await expect(mirrored).resolves.toEqual({ rows });
        }
        const sync = () =>
          activityEnvironment().run((given: SyncInput) => activities.syncRun(given), syncInput);
        expect(await sync()).toMatchObject({ rows, lastStep: rows - 1 });
        expect(await sync()).toMatchObject({ rows });
        const run = await world.client.run(path);
        expect(run).toMatchObject({ rows, state: 'failed', group: 'warmup' });
        if (way !== 'cut') {
          expect(run?.summary['val/loss']).toEqual({ min: expect.closeTo(Math.exp(-(steps - 1) / 10), 12) });
        }
        const history = run === null ? [] : await world.client.history(run, 'val/loss');
        expect(history.map(({ step }) => step)).toEqual([...Array(rows).keys()]);
      } finally {
        await world.close();
      }
    },
  );
});
