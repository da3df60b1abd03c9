import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { ClientError } from '../../../client/client-error.ts';
import { pidOf, until, type UpProcess, type UpWorld } from '../../support/up-world.ts';
import { patientTraining } from '../../support/patient-training.ts';
import type { Figure } from '../figure.ts';

const victims = ['worker', 'Temporal', 'up'] as const;
type Victim = (typeof victims)[number];

const experiments = ['open-one', 'open-two', 'open-three'] as const;
const limitMs = 10_000;

/** Kills one after the other under open experiments; measures until everything is ready and each of them moves again. */
export async function measureKills(world: UpWorld, directory: string, kills: number): Promise<Figure[]> {
  const finish = join(directory, 'finish');
  let up = world.up();
  await up.ready;
  for (const id of experiments) await world.begin(id, patientTraining(finish));
  await until(async () => (await phases(world)).every((phase) => phase === 'training'), up.text, 600_000);
  const times: Record<Victim, number[]> = { worker: [], Temporal: [], up: [] };
  for (let round = 0; round < kills; round += 1) {
    const victim = victims[round % victims.length] ?? 'worker';
    const killedAt = Date.now();
    up = await killAndWait(world, up, victim);
    await Promise.all(experiments.map((id) => untilMoving(world, up, id)));
    const ms = Date.now() - killedAt;
    times[victim].push(ms);
    console.log(`kill ${round + 1} of ${kills}, ${victim}: all goes on after ${(ms / 1000).toFixed(1)} s`);
  }
  await writeFile(finish, '');
  await until(async () => (await phases(world)).every((phase) => phase === 'deciding'), up.text, 600_000);
  const jobs = (await fetch(`${world.lab.qizhi.url}/_lab/jobs`).then((answer) => answer.json())) as unknown[];
  const all = Object.values(times).flat();
  return [
    ...victims.map((victim) => figure(`kill -9 of ${victim}: all goes on`, times[victim])),
    figure(`all ${all.length} kills: all goes on`, all),
    {
      what: `jobs of ${experiments.length} experiments with one seed each`,
      value: String(jobs.length),
      target: String(experiments.length),
      met: jobs.length === experiments.length,
    },
  ];
}

/** The `up` that runs afterwards: a new one where the old one was killed. */
async function killAndWait(world: UpWorld, up: UpProcess, victim: Victim): Promise<UpProcess> {
  if (victim === 'up') {
    process.kill(up.pid, 'SIGKILL');
    const next = world.up();
    await next.ready;
    return next;
  }
  const pid = pidOf(up, victim);
  process.kill(pid, 'SIGKILL');
  await until(() => pidOf(up, victim) !== pid, up.text);
  return up;
}

/**
 * It takes a new signal and answers afterwards: Temporal holds it and a worker works on it. Looks at its job tell nothing
 * here, since they become rarer the longer it trains.
 */
async function untilMoving(world: UpWorld, up: UpProcess, id: string): Promise<void> {
  await until(async () => {
    const client = world.experiments();
    try {
      await client.nudge(id, { delivery: randomUUID() });
      return (await client.see(id)).status !== null;
    } catch (error) {
      if (error instanceof ClientError && error.kind === 'unreachable') return false;
      throw error;
    } finally {
      await client.close();
    }
  }, up.text);
}

async function phases(world: UpWorld): Promise<string[]> {
  const client = world.experiments();
  try {
    const listed = await client.list({ open: true });
    return experiments.map((id) => listed.find((each) => each.id === id)?.phase ?? '');
  } finally {
    await client.close();
  }
}

/** With 50 tries the 99th percentile is the largest. */
function figure(what: string, times: readonly number[]): Figure {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Infinity;
  const [half, most] = [at(0.5), at(0.99)].map((ms) => (ms / 1000).toFixed(1));
  return {
    what,
    value: `median ${half} s, 99th percentile ${most} s`,
    target: `99th percentile under ${limitMs / 1000} s`,
    met: at(0.99) < limitMs,
  };
}
