import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crc32 as crc } from 'node:zlib';

import { execa } from 'execa';
import protobuf from 'protobufjs';

import { readLogRecords } from '../../../infra/wandb/log-records.ts';

const train = `
import sys, wandb
r = wandb.init(mode='offline', dir=sys.argv[2], id=sys.argv[3], project='bench', entity='lab')
for i in range(int(sys.argv[1])): r.log({'loss': 1 / (i + 1), 'accuracy': i / 100000, 'rate': 0.1})
r.finish()
`;

/** A finished run of the real client with so many rows; returns its folder. */
export async function recordRun(wandb: string, root: string, id: string, rows: number): Promise<string> {
  await mkdir(root, { recursive: true });
  await execa(join(dirname(wandb), 'python'), ['-c', train, String(rows), root, id], {
    extendEnv: false,
    env: { PATH: '/usr/bin:/bin', HOME: root },
  });
  const { stdout } = await execa('find', [root, '-type', 'd', '-name', `offline-run-*-${id}`]);
  return stdout.split('\n')[0] ?? '';
}

/**
 * Copies of a recorded run, each with an id of its own in its record: a thousand starts of the real client would take
 * longer than all that is measured. The id must have as many letters as the recorded one, so that every piece keeps its place.
 */
export async function copyRun(folder: string, from: string, to: string, target: string): Promise<string> {
  if (from.length !== to.length)
    throw new Error(`"${to}" has ${to.length} letters, expected ${from.length} as in "${from}"`);
  const copy = join(target, `offline-run-20260101_000000-${to}`);
  await cp(folder, copy, { recursive: true });
  const log = join(copy, `run-${from}.wandb`);
  const bytes = await readFile(log);
  for await (const { offset, payload } of readLogRecords(log)) {
    if (!isRun(payload)) continue;
    // The id also stands in what a record says of itself.
    for (let at = payload.indexOf(from); at >= 0; at = payload.indexOf(from, at + 1)) {
      bytes.write(to, offset + 7 + at);
    }
    const piece = bytes.subarray(offset + 6, offset + 7 + payload.length);
    bytes.writeUInt32LE(crc(piece), offset);
    break;
  }
  await writeFile(join(copy, `run-${to}.wandb`), bytes);
  await rm(log);
  return copy;
}

function isRun(payload: Buffer): boolean {
  const reader = protobuf.Reader.create(payload);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === 17) return true;
    reader.skipType(tag & 7);
  }
  return false;
}
