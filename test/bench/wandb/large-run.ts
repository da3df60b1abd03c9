import { cp } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { type DeliverDeps, deliverRun } from '../../../infra/wandb/deliver-run.ts';
import { LogMemory } from '../../../infra/wandb/log-memory.ts';
import { mirrorRows, mirrorStart } from '../../../infra/wandb/mirror-rows.ts';
import { createWandbWriter } from '../../../infra/wandb/wandb-writer.ts';
import { type BenchWorld, judge, openPlace, type Place, seconds } from './bench-world.ts';
import { recordRun } from './make-runs.ts';

const rows = 100_000;

/** One run of 100,000 rows: from the job's end to the proof, without a mirror and with one, against bare `wandb sync`. */
export async function benchLargeRun(world: BenchWorld): Promise<boolean> {
  const { say } = world;
  const place = await openPlace(world);
  try {
    const folder = await recordRun(world.wandb, join(place.root, 'recorded'), 'large', rows);
    const copy = async (name: string): Promise<string> => {
      const target = join(place.root, name, basename(folder));
      await cp(folder, target, { recursive: true });
      return target;
    };
    const [forBare, forPlain, forMirror] = [await copy('a'), await copy('b'), await copy('c')];
    const small = await recordRun(world.wandb, join(place.root, 'small'), 'small', 1);
    const floor = await seconds(async () => place.bareSync(small, 'floor'));
    const bare = await seconds(async () => {
      await place.bareSync(forBare, 'bare');
      await place.client.run({ entity: 'lab', project: 'bare', runId: 'large' });
    });
    const plain = await seconds(async () => deliver(world, place, forPlain, 'plain'));
    await mirrorRows({
      writer: createWandbWriter(place.settings),
      path: { entity: 'lab', project: 'mirrored', runId: 'large' },
      logs: [join(forMirror, 'run-large.wandb')],
      cursor: mirrorStart,
      mostBytes: Infinity,
      memory: memoryOf(place),
      signal: new AbortController().signal,
    });
    const mirrored = await seconds(async () => deliver(world, place, forMirror, 'mirrored'));
    say(
      `bare wandb sync and one look: ${bare.toFixed(1)} s; without mirror: ${plain.toFixed(1)} s; with: ${mirrored.toFixed(1)} s`,
    );
    say(`wandb sync of a run with one row, below which nothing can come: ${floor.toFixed(1)} s`);
    const first = judge(say, { what: 'without a mirror', value: plain / bare, unit: 'of bare', most: 1.1 });
    const second = judge(say, { what: 'with a mirror', value: mirrored / bare, unit: 'of bare', most: 0.2 });
    return first && second;
  } finally {
    await place.close();
  }
}

/** As the product keeps it: its files outlive the process that mirrors. */
function memoryOf({ root }: Place): LogMemory {
  return new LogMemory(join(root, 'home', 'logs'));
}

async function deliver({ wandb }: BenchWorld, place: Place, folder: string, project: string): Promise<void> {
  const { settings, environment, client } = place;
  const deps: DeliverDeps = {
    settings,
    environment,
    client,
    syncCommand: [wandb, 'sync'],
    syncTimeoutMs: 600_000,
    writer: createWandbWriter(settings),
    memory: memoryOf(place),
    patienceMs: 30_000,
    pollMs: 500,
    inTurn: async (act) => act(),
  };
  const path = { entity: 'lab', project, runId: 'large' };
  const logs = [join(folder, 'run-large.wandb')];
  const { state } = await deliverRun(deps, {
    path,
    logs,
    jobExitCode: null,
    alone: true,
    signal: new AbortController().signal,
  });
  if (state.status !== 'acknowledged') throw new Error(`${project}: ${state.status}: ${state.reason}`);
}
