import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { readOn, readTail } from '../../../../client/logs/read-log.ts';
import { runIn } from '../run-in.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'logs-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const logs = (...args: string[]) =>
  runIn(['logs', ...args], { cwd: directory, env: { HEPHAESTUS_SHARED_DIR: directory } });
const experiment = (): string => join(directory, 'experiments', 'warmup');

async function makeJob(attempt: number, seed: number, text: string): Promise<string> {
  const folder = join(experiment(), 'attempts', String(attempt), String(seed));
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'output.log'), text);
  return folder;
}

it('tells the end of what every seed of the newest attempt printed, and where the transcripts are', async () => {
  await makeJob(2, 0, 'old\n');
  await makeJob(10, 0, 'a\nb\nc\n');
  await makeJob(10, 1, 'd');
  await mkdir(join(experiment(), 'agent'));
  await writeFile(join(experiment(), 'agent', 'round-0.jsonl'), '');
  const { code, out } = await logs('warmup', '--lines', '2');
  expect(code).toBe(0);
  expect(out.split('\n').map((line) => line.replace(directory, ''))).toEqual([
    'Transcripts of the agents',
    '  /experiments/warmup/agent/round-0.jsonl',
    '',
    'Attempt 10, seed 0  /experiments/warmup/attempts/10/0/output.log',
    'b',
    'c',
    'Attempt 10, seed 1  /experiments/warmup/attempts/10/1/output.log',
    'd',
    '',
  ]);
  const one = JSON.parse((await logs('warmup', '--attempt', '2', '--seed', '0', '--json')).out) as {
    seeds: object[];
  };
  expect(one.seeds).toMatchObject([{ seed: 0, lines: ['old'] }]);
});

it.each([
  [3, ['nobody']],
  [3, ['warmup', '--attempt', '7']],
  [3, ['warmup', '--seed', '7']],
  [2, ['../warmup']],
  [2, ['warmup', '--lines', 'many']],
  [2, ['warmup', '--follow', '--json']],
])('ends with %d for %j', async (code, args) => {
  await makeJob(1, 0, '');
  expect((await logs(...args)).code).toBe(code);
});

it('follows until the job has ended, to its last word', async () => {
  const folder = await makeJob(1, 0, 'first\n');
  const ran = logs('warmup', '--follow');
  await appendFile(join(folder, 'output.log'), 'second\nthi');
  await appendFile(join(folder, 'output.log'), 'rd');
  await writeFile(join(folder, 'exit.json'), '{}');
  expect((await ran).out.split('\n').slice(1)).toEqual(['first', 'second', 'third', '']);
});

it('is ended by Ctrl-C', async () => {
  await makeJob(1, 0, 'first\n');
  const interrupt = new AbortController();
  const ran = runIn(['logs', 'warmup', '-f'], {
    cwd: directory,
    env: { HEPHAESTUS_SHARED_DIR: directory },
    signal: interrupt.signal,
  });
  interrupt.abort();
  expect((await ran).code).toBe(130);
});

it('shows of a progress bar its last state, and nothing that moves a cursor', async () => {
  const path = join(directory, 'log');
  await writeFile(path, '10 %\r50 %\r100 %\r\n\u001B[31mred\u001B[0m\u0007\n');
  expect((await readTail(path, 10)).lines).toEqual(['100 %', 'red']);
});

it('reads a log that is larger than its last megabyte, and one that was begun anew', async () => {
  const path = join(directory, 'log');
  await writeFile(path, `${'x'.repeat(99)}\n`.repeat(30_000));
  const { lines, offset } = await readTail(path, 3);
  expect(lines).toEqual(Array(3).fill('x'.repeat(99)));
  await writeFile(path, 'anew\n');
  await vi.waitFor(async () => expect((await readOn(path, offset, true)).lines).toEqual(['anew']));
  expect(await readOn(path, 5, true)).toEqual({ lines: [], offset: 5 });
  expect(await readTail(join(directory, 'none'), 3)).toEqual({ lines: [], offset: 0 });
});
