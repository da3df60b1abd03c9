import { tmpdir } from 'node:os';
import { join } from 'node:path';

import PQueue from 'p-queue';

import type { DeliverDeps } from '../../infra/wandb/deliver-run.ts';
import { LogMemory } from '../../infra/wandb/log-memory.ts';
import { createPlacer } from '../../infra/wandb/place-run.ts';
import { createWandbWriter } from '../../infra/wandb/wandb-writer.ts';
import { usualParallel, usualTiming, type WandbDeps } from './wandb-deps.ts';

/** What the activities of this queue share: one writer, so that the pauses between requests hold for all of them. */
export interface WandbTools {
  readonly sharedDir: string;
  readonly indexDir: string;
  readonly silentMs: number;
  readonly deliver: DeliverDeps;
  readonly place: ReturnType<typeof createPlacer>;
}

export function createWandbTools(deps: WandbDeps): WandbTools {
  const { settings, syncCommand, environment, wandb } = deps;
  const { silentMs, ...timing } = { ...usualTiming, ...deps.timing };
  const indexDir = deps.indexDir ?? join(tmpdir(), 'hephaestus-wandb-index');
  const queue = new PQueue({ concurrency: deps.parallel ?? usualParallel });
  return {
    sharedDir: deps.disk.sharedDir,
    indexDir,
    silentMs,
    place: createPlacer(wandb, settings),
    deliver: {
      settings,
      syncCommand,
      environment,
      client: wandb,
      writer: createWandbWriter(settings),
      memory: new LogMemory(join(indexDir, 'logs')),
      ...timing,
      inTurn: async (act) => queue.add(act),
    },
  };
}
