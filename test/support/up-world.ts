import { mkdir, readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { execa } from 'execa';

import { openExperiments, type Experiments } from '../../client/experiments.ts';
import type { ExperimentInput } from '../../domain/experiment.ts';
import { loadConfig } from '../../infra/config/load-config.ts';
import { processEnvironment } from '../../infra/env.ts';
import { isPortFree } from '../../infra/is-port-free.ts';
import { findLabPython } from '../../infra/lab/demo/lab-python.ts';
import { startLab, type Lab } from '../../infra/lab/start-lab.ts';
import type { Tools } from '../../infra/tools/ensure-tools.ts';
import { toolEnvironment } from '../../infra/tools/tool-environment.ts';
import { scriptOf, seedSmall, smallNote, type Settings } from './bad-input-world.ts';

/** `hephaestus up` as a process, from outside. */
export interface UpProcess {
  readonly pid: number;
  /** Everything it said so far. */
  readonly text: () => string;
  /** Since it was started, ms; rejects with its words when it ends before it is up. */
  readonly ready: Promise<number>;
  readonly ended: Promise<number | undefined>;
}

export interface UpWorld {
  readonly home: string;
  readonly lab: Lab;
  readonly settings: Settings;
  up(args?: readonly string[], overrides?: Settings): UpProcess;
  /** Runs another command to its end. */
  cli(
    args: readonly string[],
    overrides?: Settings,
  ): Promise<{ readonly code: number | undefined; readonly text: string }>;
  experiments(): Experiments;
  /** Starts an experiment whose training runs `training`, a Python file. */
  begin(id: string, training: string): Promise<void>;
  close(): Promise<void>;
}

const cliFile = join(import.meta.dirname, '..', '..', 'client', 'cli', 'index.ts');

/** The lab with one small repository, and a folder with the `.env` of a person who is about to say `up`. */
export async function openUpWorld(directory: string, { uv }: Pick<Tools, 'uv'>): Promise<UpWorld> {
  const environment = toolEnvironment(processEnvironment());
  const home = join(directory, 'home');
  await mkdir(home, { recursive: true });
  const python = await findLabPython(environment);
  const variants = new Map<string, string>();
  const lab = await startLab({ directory: join(directory, 'lab'), script: scriptOf(variants) });
  await seedSmall(lab, directory, { uv, environment, python: python.path });
  const settings: Settings = {
    ...lab.settings,
    HEPHAESTUS_HOME: join(home, '.hephaestus'),
    HEPHAESTUS_WEBHOOK_PORT: String(await lastingPort()),
    HEPHAESTUS_PAGE_PORT: String(await lastingPort()),
    HEPHAESTUS_TEMPORAL_UI_URL: `http://127.0.0.1:${await lastingPort()}`,
    TEMPORAL_ADDRESS: `127.0.0.1:${await lastingPort()}`,
    HEPHAESTUS_GITHUB_POLL_SECONDS: '1',
    QIZHI_POLL_SECONDS: '1',
    QIZHI_REQUESTS_PER_SECOND: '50',
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${JSON.stringify(value)}\n`);
  await writeFile(join(home, '.env'), lines.join(''), { mode: 0o600 });
  const { temporal, policy } = loadConfig({ env: settings, zones: [], cwd: home });
  const started: UpProcess[] = [];
  const opened: Experiments[] = [];
  const experiments = (): Experiments => {
    const each = openExperiments(temporal);
    opened.push(each);
    return each;
  };
  return {
    home: join(home, '.hephaestus'),
    lab,
    settings,
    experiments,
    up(args = [], overrides = {}) {
      const up = startUp(home, { ...environment, ...overrides }, args);
      started.push(up);
      return up;
    },
    async cli(args, overrides = {}) {
      const { exitCode, all } = await execa(process.execPath, [cliFile, ...args], {
        cwd: home,
        env: { ...environment, ...overrides },
        extendEnv: false,
        reject: false,
        all: true,
        stdin: 'ignore',
        timeout: 120_000,
      });
      return { code: exitCode, text: all };
    },
    async begin(id, training) {
      variants.set(id, training);
      const note = smallNote(id, python, {});
      const input: ExperimentInput = {
        id,
        source: { kind: 'note', note, body: '## Why\n' },
        by: 'test',
        policy: { ...policy, requireCopilot: false },
      };
      const client = openExperiments(temporal);
      try {
        await client.start(input);
      } finally {
        await client.close();
      }
    },
    async close() {
      await Promise.all(opened.map((each) => each.close()));
      for (const { pid, ended } of started) {
        if (await isAlive(pid)) process.kill(pid, 'SIGTERM');
        await ended;
      }
      await lab.close();
    },
  };
}

function startUp(cwd: string, env: Settings, args: readonly string[]): UpProcess {
  const begun = Date.now();
  const child = execa(process.execPath, [cliFile, 'up', ...args], {
    cwd,
    env,
    extendEnv: false,
    reject: false,
    all: true,
    buffer: false,
    stdin: 'ignore',
  });
  let text = '';
  const ready = Promise.withResolvers<number>();
  ready.promise.catch(() => undefined);
  child.all.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    if (text.includes('Hephaestus is up')) ready.resolve(Date.now() - begun);
  });
  const ended = child.then(({ exitCode }) => {
    ready.reject(new Error(`up ended (${exitCode ?? 'killed'}):\n${text}`));
    return exitCode;
  });
  return { pid: child.pid ?? 0, text: () => text, ready: ready.promise, ended };
}

/** Every process that stands in the folder of the home, or names it: what `up` started, and what that started. */
export async function processesOf(home: string): Promise<ReadonlyMap<number, string>> {
  const folder = join(home, '..');
  const found = new Map<number, string>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    const [stands, args] = await Promise.all([
      unlessGone(readlink(`/proc/${name}/cwd`)),
      unlessGone(readFile(`/proc/${name}/cmdline`, 'utf8')),
    ]);
    // What has ended and was not asked for yet has no arguments.
    if (args === '' || !(stands.startsWith(folder) || args.includes(folder))) continue;
    found.set(Number(name), args.replaceAll('\0', ' ').trim());
  }
  return found;
}

async function unlessGone(looking: Promise<string>): Promise<string> {
  try {
    return await looking;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (['ENOENT', 'ESRCH', 'EACCES'].includes(code)) return '';
    throw error;
  }
}

export async function isAlive(pid: number): Promise<boolean> {
  return (await unlessGone(readFile(`/proc/${pid}/cmdline`, 'utf8'))) !== '';
}

/** The process that `up` says is the newest of that name. */
export function pidOf(up: UpProcess, name: string): number {
  const found = [...up.text().matchAll(new RegExp(`${name} is ready \\(process (\\d+)\\)`, 'g'))].at(-1)?.[1];
  if (found === undefined) throw new Error(`${name} was never ready:\n${up.text()}`);
  return Number(found);
}

/** Resolves with the ms that it took until `holds`; throws with the words of `describe` after the limit. */
export async function until(
  holds: () => Promise<boolean> | boolean,
  describe: () => string,
  limitMs = 120_000,
): Promise<number> {
  const begun = Date.now();
  while (!(await holds())) {
    if (Date.now() - begun > limitMs) throw new Error(`not within ${limitMs / 1000} s: ${describe()}`);
    await delay(50);
  }
  return Date.now() - begun;
}

/** Below those that the system gives to connections: one of them must not have it while its server is being started again. */
async function lastingPort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    if (await isPortFree(port)) return port;
  }
}
