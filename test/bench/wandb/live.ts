import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { execa } from 'execa';

import { findRuns } from '../../../infra/wandb/find-runs.ts';
import { storedRows } from '../../support/stored-rows.ts';
import { type BenchWorld, judge, openPlace } from './bench-world.ts';
import { countBytes } from './count-bytes.ts';

const train = `
import sys, time, wandb
r = wandb.init(mode='offline', dir=sys.argv[2], id='live', project='bench', entity='lab')
until = time.time() + float(sys.argv[1])
i = 0
while time.time() < until:
    r.log({'loss': 1 / (i + 1), 'note': 'x' * 200}); i += 1; time.sleep(0.2)
r.finish()
`;

const modules = join(import.meta.dirname, '..', '..', '..', 'infra', 'wandb');

/** The agent in a process that can be killed; its state is what it leaves on the disk and at the server. */
const agent = (options: object): string => `
  const { createSyncAgent } = await import(${JSON.stringify(`${modules}/create-sync-agent.ts`)});
  const agent = await createSyncAgent({ ...${JSON.stringify(options)},
    signal: new AbortController().signal, onRun: () => undefined });
  for (;;) { await agent.round(); await new Promise((go) => setTimeout(go, 5000)); }`;

/** A living run whose mirror is killed again and again: how late its rows are seen, and how much was sent for them. */
export async function benchLive(world: BenchWorld): Promise<boolean> {
  const { say, full, wandb } = world;
  const lifeSeconds = full ? 600 : 90;
  const place = await openPlace(world);
  const counter = await countBytes(place.server.url);
  try {
    const runs = join(place.root, 'runs');
    const env = { PATH: '/usr/bin:/bin', HOME: place.root };
    const python = join(dirname(wandb), 'python');
    const args = ['-c', train, String(lifeSeconds), runs];
    await execa('mkdir', ['-p', runs]);
    const ends = Date.now() + lifeSeconds * 1000;
    const job = execa(python, args, { extendEnv: false, env, reject: false });
    const options = {
      settings: { ...place.settings, baseUrl: counter.url },
      syncCommand: [wandb, 'sync'],
      environment: place.environment,
      roots: [runs],
      home: join(place.root, 'home'),
      parallel: 1,
      silentMs: 3_600_000,
      timing: { patienceMs: 10_000, pollMs: 200 },
    };
    const begin = () =>
      execa(process.execPath, ['--input-type=module', '-e', agent(options)], { reject: false });
    let mirror = begin();
    let kills = 0;
    let nextKill = Date.now() + 15_000;
    const seenAt: number[] = [];
    const path = { entity: 'lab', project: 'bench', runId: 'live' };
    for (let state = 'running'; state !== 'finished';) {
      const run = await place.client.run(path);
      state = run?.state ?? 'running';
      while (seenAt.length < (run?.rows ?? 0)) seenAt.push(Date.now());
      if (Date.now() < ends && Date.now() > nextKill) {
        mirror.kill('SIGKILL');
        await mirror;
        mirror = begin();
        kills += 1;
        nextKill = Date.now() + 5_000 + Math.random() * 20_000;
      }
      await sleep(250);
    }
    mirror.kill('SIGKILL');
    await mirror;
    await job;
    const sent = counter.bytes();
    const late = await latencies(join(place.root, 'server'), seenAt);
    counter.reset();
    const { runs: found } = await findRuns(runs);
    await execa(wandb, ['sync', '--include-synced', '-e', 'lab', '-p', 'bare', found[0]?.folder ?? ''], {
      extendEnv: false,
      env: {
        ...env,
        WANDB_DIR: place.root,
        WANDB_BASE_URL: counter.url,
        WANDB_API_KEY: place.settings.apiKey,
      },
    });
    const bare = counter.bytes();
    say(`${seenAt.length} rows, mirror killed ${kills} times; ${sent} bytes sent, ${bare} by one wandb sync`);
    const latency = judge(say, {
      what: 'median from row to server',
      value: median(late),
      unit: 's',
      most: 20,
    });
    const bytes = judge(say, { what: 'bytes sent', value: sent / bare, unit: 'of one sync', most: 1.2 });
    return latency && bytes;
  } finally {
    await counter.close();
    await place.close();
  }
}

/** Seconds from the time that a row carries to the time at which the server was seen to hold it. */
async function latencies(server: string, seenAt: readonly number[]): Promise<number[]> {
  const lines = await storedRows(server);
  return lines.flatMap((line, index) => {
    const seen = seenAt[index];
    const written = Number(/"_timestamp":([\d.e+]+)/.exec(line)?.[1]);
    return seen === undefined ? [] : [seen / 1000 - written];
  });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
