import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { Client, Connection } from '@temporalio/client';

import { jobWorkflowId } from '../../../domain/ids.ts';
import { pidOf, until, type UpProcess, type UpWorld } from '../../support/up-world.ts';
import { patientTraining } from '../../support/patient-training.ts';
import type { Figure } from '../environment/figure.ts';

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
    await Promise.all(experiments.map((id) => untilMoving(world, up, id, killedAt)));
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

/** An activity of its job was begun since: a worker took it from Temporal, so both are back for this experiment. */
async function untilMoving(world: UpWorld, up: UpProcess, id: string, since: number): Promise<void> {
  const address = world.settings['TEMPORAL_ADDRESS'] ?? '';
  await until(async () => {
    const connection = await Connection.connect({ address });
    try {
      const handle = new Client({ connection }).workflow.getHandle(jobWorkflowId(id, 1, 0));
      const { raw } = await handle.describe();
      return (raw.pendingActivities ?? []).some(({ lastStartedTime: at }) => msOf(at) > since);
    } finally {
      await connection.close();
    }
  }, up.text);
}

function msOf(at: { readonly seconds?: unknown; readonly nanos?: number | null } | null | undefined): number {
  return Number(at?.seconds ?? 0) * 1000 + (at?.nanos ?? 0) / 1e6;
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
