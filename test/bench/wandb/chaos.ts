import { stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { execa } from 'execa';

import { startWandbStandIn } from '../../../infra/lab/wandb/start-wandb-stand-in.ts';
import { createWandbClient } from '../../../infra/wandb/create-wandb-client.ts';
import { readTransactionLog } from '../../../infra/wandb/transaction-log.ts';
import { type BenchWorld, judge, openPlace } from './bench-world.ts';
import { copyRun, recordRun } from './make-runs.ts';

const rows = 1000;
const modules = join(import.meta.dirname, '..', '..', '..', 'infra', 'wandb');

/** One round over everything, in a process that can be killed; prints how it judges each run. */
const round = (options: object): string => `
  const { createSyncAgent } = await import(${JSON.stringify(`${modules}/create-sync-agent.ts`)});
  const agent = await createSyncAgent({ ...${JSON.stringify(options)},
    signal: new AbortController().signal, onRun: () => undefined });
  const { runs } = await agent.round();
  console.log(JSON.stringify(runs.map(({ name, status, reason }) => ({ name, status, reason }))));`;

/** Finished and killed jobs, with the agent killed and the server restarted at random until all are through. */
export async function benchChaos(world: BenchWorld): Promise<boolean> {
  const { say, full, wandb } = world;
  const count = full ? 200 : 40;
  const place = await openPlace(world);
  const port = Number(new URL(place.server.url).port);
  let server = place.server;
  try {
    const recorded = await recordRun(wandb, join(place.root, 'recorded'), 'r0000', rows);
    const runs = join(place.root, 'runs');
    const logs = new Map<string, string>();
    for (let index = 1; index <= count; index += 1) {
      const id = `r${String(index).padStart(4, '0')}`;
      const log = join(await copyRun(recorded, 'r0000', id, runs), `run-${id}.wandb`);
      // Every third job was killed in the middle of its work.
      if (index % 3 === 0) await truncate(log, Math.floor((await stat(log)).size * Math.random()));
      logs.set(id, log);
    }
    const options = {
      settings: place.settings,
      syncCommand: [wandb, 'sync'],
      environment: { ...place.environment, WANDB_X_GRAPHQL_RETRY_MAX: '1' },
      roots: [runs],
      home: join(place.root, 'home'),
      parallel: 3,
      silentMs: 0,
      timing: { patienceMs: 4_000, pollMs: 100 },
    };
    const begin = () =>
      execa(process.execPath, ['--input-type=module', '-e', round(options)], { reject: false });
    const kills = full ? 40 : 8;
    for (let kill = 0; kill < kills; kill += 1) {
      const agent = begin();
      await sleep(1_000 + Math.random() * 4_000);
      if (kill % 2 === 1) {
        await server.close();
        await sleep(Math.random() * 1_000);
        server = await startWandbStandIn({ directory: join(place.root, 'server'), port });
        await sleep(Math.random() * 2_000);
      }
      agent.kill('SIGKILL');
      await agent;
    }
    for (let again = 0; again < 3; again += 1) await begin();
    const problems = await wrongRuns(place.settings, logs);
    for (const problem of problems.slice(0, 10)) say(problem);
    say(`${count} runs, agent killed ${kills} times, server restarted ${Math.floor(kills / 2)} times`);
    return judge(say, {
      what: 'runs with a row missing, twice, or judged wrongly',
      value: problems.length,
      unit: '',
      most: 0,
    });
  } finally {
    await server.close();
    await place.close();
  }
}

async function wrongRuns(
  settings: Parameters<typeof createWandbClient>[0],
  logs: ReadonlyMap<string, string>,
): Promise<string[]> {
  const client = createWandbClient(settings);
  const problems: string[] = [];
  for (const [runId, log] of logs) {
    const path = { entity: 'lab', project: 'bench', runId };
    const { rows: expected, exit } = await readTransactionLog(log);
    const run = await client.run(path);
    if (expected === 0) {
      if (run !== null && run.rows > 0) problems.push(`${runId} has ${run.rows} rows of an empty log`);
      continue;
    }
    const history = run === null ? [] : await client.history(run, 'loss');
    const state = exit?.code === 0 ? 'finished' : 'failed';
    if (run?.rows !== expected || history.length !== expected || run.state !== state) {
      problems.push(
        `${runId}: ${run?.rows} rows, ${history.length} steps, ${run?.state}; expected ${expected}, ${state}`,
      );
    }
  }
  return problems;
}
