import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { execa } from 'execa';

import { startWandbStandIn } from '../../../infra/lab/wandb/start-wandb-stand-in.ts';
import { createWandbClient } from '../../../infra/wandb/create-wandb-client.ts';
import { roundInProcess } from './agent-process.ts';

export interface BenchWorld {
  readonly wandb: string;
  readonly full: boolean;
  readonly say: (line: string) => void;
}

export type Place = Awaited<ReturnType<typeof openPlace>>;

/** A server and a folder of its own for one figure. */
export async function openPlace({ wandb }: BenchWorld) {
  const root = await mkdtemp(join(tmpdir(), 'hephaestus-bench-'));
  const server = await startWandbStandIn({ directory: join(root, 'server') });
  const apiKey = server.settings['WANDB_API_KEY'] ?? '';
  const settings = { baseUrl: server.url, apiKey, entity: 'lab', project: undefined };
  const environment = { PATH: '/usr/bin:/bin' };
  return {
    root,
    server,
    settings,
    environment,
    client: createWandbClient(settings),
    agent: (runs: string, parallel: number) =>
      roundInProcess({
        settings,
        syncCommand: [wandb, 'sync'],
        environment,
        roots: [runs],
        home: join(root, 'home'),
        parallel,
        silentMs: 3_600_000,
      }),
    /** As people do it, and as the trigger tools do: one client for one run. */
    bareSync: async (folder: string, project: string) => {
      await execa(wandb, ['sync', '-e', 'lab', '-p', project, folder], {
        cwd: root,
        extendEnv: false,
        env: {
          ...environment,
          HOME: root,
          WANDB_DIR: root,
          WANDB_BASE_URL: server.url,
          WANDB_API_KEY: apiKey,
        },
      });
    },
    close: async () => {
      await server.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

export async function seconds(act: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await act();
  return (performance.now() - started) / 1000;
}

/** Prints a figure with its aim; returns whether it is met. */
export function judge(
  say: BenchWorld['say'],
  {
    what,
    value,
    unit,
    most,
    least,
  }: {
    readonly what: string;
    readonly value: number;
    readonly unit: string;
    readonly most?: number;
    readonly least?: number;
  },
): boolean {
  const met = (most === undefined || value <= most) && (least === undefined || value >= least);
  const aim = most === undefined ? `at least ${least}` : `at most ${most}`;
  say(`${met ? 'ok    ' : 'MISSED'} ${what}: ${value.toPrecision(3)} ${unit} (aim: ${aim})`);
  return met;
}
