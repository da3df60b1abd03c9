import { join } from 'node:path';

import PQueue from 'p-queue';

import type { WandbSettings } from '../settings.ts';
import { createWandbClient } from './create-wandb-client.ts';
import { LogMemory } from './log-memory.ts';
import { createPlacer } from './place-run.ts';
import { RunIndex } from './run-index.ts';
import { type AgentRun, SyncAgent } from './sync-agent.ts';
import { createWandbWriter } from './wandb-writer.ts';

export interface CreateSyncAgentOptions {
  readonly settings: WandbSettings;
  readonly syncCommand: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Absolute: run folders, or folders with such below them. */
  readonly roots: readonly string[];
  /** A folder of this machine for what was learnt about runs. */
  readonly home: string;
  /** Clients at one time. */
  readonly parallel: number;
  /** A run without an end whose log has not moved for so long has ended; 0: every one of them has. */
  readonly silentMs: number;
  readonly timing?: { readonly patienceMs: number; readonly pollMs: number };
  readonly signal: AbortSignal;
  readonly onRun: (run: AgentRun) => void;
}

const usualTiming = { patienceMs: 60_000, pollMs: 1_000 };
const syncTimeoutMs = 30 * 60_000;

/** The sync agent for some folders and one server. */
export async function createSyncAgent(options: CreateSyncAgentOptions): Promise<SyncAgent> {
  const { settings, parallel, silentMs, signal, onRun, syncCommand, environment } = options;
  const client = createWandbClient(settings);
  const queue = new PQueue({ concurrency: parallel });
  const indexDir = join(options.home, 'wandb-index');
  const memory = new LogMemory(join(indexDir, 'logs'));
  await memory.prune();
  const roots = [];
  for (const root of options.roots) roots.push({ root, index: await RunIndex.open(indexDir, root) });
  return new SyncAgent({
    deps: {
      settings,
      syncCommand,
      environment,
      syncTimeoutMs,
      client,
      writer: createWandbWriter(settings),
      memory,
      ...(options.timing ?? usualTiming),
      inTurn: async (act) => queue.add(act),
    },
    place: createPlacer(client, settings),
    roots,
    // While a client waits for its server, another run may be looked at.
    parallel: parallel * 2,
    silentMs,
    signal,
    onRun,
  });
}
