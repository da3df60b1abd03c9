import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { execa } from 'execa';

import { readLogRecords } from '../../../infra/wandb/log-records.ts';
import { LogWriter } from '../../../infra/wandb/log-writer.ts';
import { type BenchWorld, judge } from './bench-world.ts';
import { recordRun } from './make-runs.ts';

const gigabyte = 1024 ** 3;
const modules = join(import.meta.dirname, '..', '..', '..', 'infra', 'wandb');

/** All that is done with a log, in a process of its own and against a server that takes everything at once. */
const script = (log: string, root: string): string => `
  const at = (name) => import(${JSON.stringify(`${modules}/`)} + name);
  const { mirrorRows, mirrorStart } = await at('mirror-rows.ts');
  const { LogMemory } = await at('log-memory.ts');
  const { copyRest } = await at('copy-rest.ts');
  const { readRunLogs } = await at('run-logs.ts');
  const log = ${JSON.stringify(log)};
  const memory = new LogMemory(${JSON.stringify(join(root, 'memory'))});
  let sent = 0;
  const writer = { rows: async () => null, create: async () => 0, send: async (_, __, lines) => { sent += lines.length; } };
  const seconds = async (act) => { const from = performance.now(); await act(); return (performance.now() - from) / 1000; };
  const mirror = await seconds(() => mirrorRows({ writer, path: {}, logs: [log], cursor: mirrorStart,
    mostBytes: Infinity, memory, signal: new AbortController().signal }));
  const read = await seconds(() => readRunLogs([log]));
  const copy = await seconds(() => copyRest(log, ${JSON.stringify(join(root, 'rest.wandb'))}, null));
  const recall = await seconds(() => readRunLogs([log], memory));
  console.log(JSON.stringify({ sent, mirror, read, copy, recall, megabytes: process.resourceUsage().maxRSS / 1000 }));`;

/** A log of a gigabyte: read, mirrored, copied and remembered in a memory that does not grow with it. */
export async function benchGigabyte({ say, wandb }: BenchWorld): Promise<boolean> {
  const root = await mkdtemp(join(tmpdir(), 'hephaestus-bench-'));
  try {
    const folder = await recordRun(wandb, join(root, 'recorded'), 'giga', 1000);
    const recorded = join(folder, 'run-giga.wandb');
    const small = await measure(recorded, join(root, 'small'), gigabyte / 8);
    const found = await measure(recorded, join(root, 'large'), gigabyte);
    say(
      `${found.bytes} bytes, ${found.sent} rows: mirrored in ${found.mirror.toFixed(1)} s, read in ${found.read.toFixed(1)} s, copied without rows in ${found.copy.toFixed(1)} s, known again in ${found.recall.toFixed(2)} s`,
    );
    say(
      `memory: ${found.megabytes.toFixed(0)} MB, for an eighth of the log ${small.megabytes.toFixed(0)} MB`,
    );
    const growth = found.megabytes / small.megabytes;
    return judge(say, { what: 'memory for eight times the log', value: growth, unit: 'times', most: 1.25 });
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

type Measured = Readonly<
  Record<'bytes' | 'sent' | 'mirror' | 'read' | 'copy' | 'recall' | 'megabytes', number>
>;

async function measure(recorded: string, root: string, size: number): Promise<Measured> {
  await mkdir(root);
  const log = join(root, 'giga.wandb');
  await grow(recorded, log, size);
  const { stdout } = await execa(process.execPath, ['--input-type=module', '-e', script(log, root)]);
  return { ...(JSON.parse(stdout) as Omit<Measured, 'bytes'>), bytes: (await stat(log)).size };
}

/** The records of a recorded log again and again; its steps repeat, which changes nothing of what is measured. */
async function grow(recorded: string, target: string, size: number): Promise<void> {
  const payloads: Buffer[] = [];
  for await (const { payload } of readLogRecords(recorded)) payloads.push(payload);
  const writer = await LogWriter.create(target);
  try {
    while (writer.length < size) for (const payload of payloads.slice(0, -1)) await writer.write(payload);
  } finally {
    await writer.close();
  }
}
