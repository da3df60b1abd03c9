import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

import { memoryOf } from '../../../infra/memory-of.ts';
import { processesOf, type UpProcess, type UpWorld } from '../../support/up-world.ts';
import type { Figure } from '../figure.ts';

const tries = 3;
const limits = { fromNothing: 8000, again: 5000 };
/** Until garbage of the start is gone, ms. */
const restMs = 10_000;

/** `up` on a home that is not there, and on one that is; the programs themselves are installed. */
export async function measureStarts(world: UpWorld): Promise<Figure[]> {
  const first: number[] = [];
  const second: number[] = [];
  for (let round = 0; round < tries; round += 1) {
    await rm(world.home, { recursive: true, force: true });
    first.push(await startAndStop(world));
    second.push(await startAndStop(world, round === tries - 1 ? tellMemory : undefined));
  }
  return [
    figure('up from nothing to ready', first, limits.fromNothing),
    figure('up the second time', second, limits.again),
  ];
}

async function startAndStop(world: UpWorld, atRest?: (world: UpWorld) => Promise<void>): Promise<number> {
  const up = world.up();
  const ms = await up.ready;
  if (atRest !== undefined) {
    await delay(restMs);
    await atRest(world);
  }
  await end(up);
  return ms;
}

async function end(up: UpProcess): Promise<void> {
  process.kill(up.pid, 'SIGTERM');
  await up.ended;
}

async function tellMemory(world: UpWorld): Promise<void> {
  const rows = await Promise.all(
    [...(await processesOf(world.home))].map(async ([pid, args]) => ({
      name: nameOf(args),
      bytes: (await memoryOf(pid)) ?? 0,
    })),
  );
  console.log('resident memory at rest:');
  for (const { name, bytes } of rows) console.log(`  ${megabytes(bytes).padStart(7)}  ${name}`);
  console.log(`  ${megabytes(rows.reduce((sum, { bytes }) => sum + bytes, 0)).padStart(7)}  together`);
}

function nameOf(args: string): string {
  if (args.includes('guard.py')) return 'guard';
  if (args.includes('start-dev')) return 'Temporal';
  return / (up|worker|webhook)\b/.exec(args)?.[1] ?? args.slice(0, 60);
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MB`;
}

function figure(what: string, times: readonly number[], limit: number): Figure {
  const sorted = times.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? Infinity;
  const all = times.map((ms) => (ms / 1000).toFixed(1)).join(', ');
  return {
    what,
    value: `${(median / 1000).toFixed(1)} s (${all})`,
    target: `under ${limit / 1000} s`,
    met: median < limit,
  };
}
