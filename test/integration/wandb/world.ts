import { cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { execa } from 'execa';
import { inject } from 'vitest';

import { createWandbActivities } from '../../../activities/wandb/create-wandb-activities.ts';
import type { SyncInput } from '../../../activities/wandb/interface.ts';
import type { WandbTiming } from '../../../activities/wandb/wandb-deps.ts';
import { startWandbStandIn } from '../../../infra/lab/wandb/start-wandb-stand-in.ts';
import { createWandbClient } from '../../../infra/wandb/create-wandb-client.ts';
import type { WandbClient } from '../../../infra/wandb/wandb-client.ts';

/** What the training script does; see train.py. */
export interface Wish {
  readonly steps?: number;
  readonly seed?: number;
  readonly nan?: readonly number[];
  readonly bytes?: number;
  readonly summary?: string;
  readonly kill?: boolean;
  readonly exit?: number;
  readonly init?: Readonly<Record<string, unknown>>;
}

export type World = Awaited<ReturnType<typeof startWorld>>;

const timing: WandbTiming = {
  syncTimeoutMs: 60_000,
  patienceMs: 4_000,
  pollMs: 50,
  silentMs: 60_000,
};

/** A stand-in of the server, a shared disk, and the activities between them. */
export async function startWorld() {
  const root = await mkdtemp(join(tmpdir(), 'hephaestus-test-'));
  const server = await startWandbStandIn({ directory: join(root, 'server') });
  const settings = settingsOf(server.url, server.settings['WANDB_API_KEY'] ?? '');
  const client = createWandbClient(settings);
  const sharedDir = join(root, 'shared');
  const activitiesWith = (change: {
    client?: WandbClient;
    apiKey?: string;
    timing?: Partial<WandbTiming>;
    wandb?: string;
  }) =>
    createWandbActivities({
      disk: { sharedDir, jobSharedDir: sharedDir },
      wandb: change.client ?? client,
      settings: { ...settings, ...(change.apiKey !== undefined && { apiKey: change.apiKey }) },
      syncCommand: [change.wandb ?? inject('tools').wandb, 'sync'],
      environment: { PATH: '/usr/bin:/bin', WANDB_X_GRAPHQL_RETRY_MAX: '1' },
      indexDir: join(root, 'index'),
      timing: { ...timing, ...change.timing },
    });
  return {
    root,
    sharedDir,
    server,
    settings,
    client,
    /** All rows of the run that hold the metric. */
    history: async (metric: string) => {
      const run = await client.run(runPath);
      return run === null ? [] : client.history(run, metric);
    },
    activities: activitiesWith({}),
    activitiesWith,
    attempt: attemptFolder(sharedDir, 0),
    /** Puts a recorded run into the attempt of seed 0, as the job would have left it. */
    place: (recorded: string) => cp(recorded, attemptFolder(sharedDir, 0), { recursive: true }),
    fault: (fault: object) =>
      fetch(`${server.url}/_lab/faults`, { method: 'POST', body: JSON.stringify(fault) }),
    close: async () => {
      await server.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

export function settingsOf(baseUrl: string, apiKey: string) {
  return { baseUrl, apiKey, entity: 'lab', project: undefined };
}

/** The run of the tests: seed 0 of the first attempt. */
export const runPath = { entity: 'lab', project: 'digits', runId: 'warmup-a1-s0-tok' };

export const syncInput: SyncInput = {
  experimentId: 'warmup',
  attempt: 1,
  seed: 0,
  runId: runPath.runId,
  wandb: { mode: 'offline', project: 'digits', entity: 'lab' },
};

/** What an activity sees of its worker, without a worker; failures are expected here and need no log line. */
export function activityEnvironment(): MockActivityEnvironment {
  return new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
}

/** The log of a run that was trained; there is exactly one. */
export async function logPath(attempt: string): Promise<string> {
  const names = await readdir(join(attempt, 'wandb'), { recursive: true });
  const [log] = names.filter((name) => /^offline-run-[^/]+\/run-[^/]+\.wandb$/.test(name));
  if (log === undefined) throw new Error(`no log below ${attempt}: ${names.join(', ')}`);
  return join(attempt, 'wandb', log);
}

function attemptFolder(sharedDir: string, seed: number): string {
  return join(sharedDir, 'experiments', 'warmup', 'attempts', '1', String(seed));
}

/** Trains with the real W&B client in offline mode, with the variables of the start script; returns the attempt's folder. */
export async function record(
  root: string,
  wish: Wish,
  wandb = inject('tools').wandb,
  runId = runPath.runId,
): Promise<string> {
  const folder = await mkdtemp(join(root, 'recorded-'));
  await mkdir(folder, { recursive: true });
  const python = join(dirname(wandb), 'python');
  await execa(python, [join(import.meta.dirname, 'train.py'), JSON.stringify(wish)], {
    cwd: folder,
    extendEnv: false,
    reject: wish.kill !== true && wish.exit === undefined,
    env: {
      PATH: '/usr/bin:/bin',
      HOME: folder,
      WANDB_MODE: 'offline',
      WANDB_DIR: folder,
      WANDB_RUN_ID: runId,
      WANDB_PROJECT: runPath.project,
      WANDB_ENTITY: runPath.entity,
      WANDB_RUN_GROUP: 'warmup',
      WANDB_TAGS: 'hephaestus,experiment:warmup',
    },
  });
  return folder;
}
