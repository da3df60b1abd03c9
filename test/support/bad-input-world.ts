import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { Connection } from '@temporalio/client';
import { execa } from 'execa';

import { openExperiments, type Experiments } from '../../client/experiments.ts';
import type { TaskNote } from '../../domain/task-note.ts';
import { formatTaskNote } from '../../domain/task-note-text.ts';
import { loadConfig } from '../../infra/config/load-config.ts';
import { processEnvironment } from '../../infra/env.ts';
import { findLabPython } from '../../infra/lab/demo/lab-python.ts';
import { startChild, type Child } from '../../infra/lab/demo/processes.ts';
import type { ModelsScript } from '../../infra/lab/models/script.ts';
import { startLab, type Lab } from '../../infra/lab/start-lab.ts';
import { startDevServer } from '../../infra/temporal/dev-server.ts';
import { toolEnvironment } from '../../infra/tools/tool-environment.ts';
import type { Tools } from '../../infra/tools/ensure-tools.ts';
import { lockProject } from '../../infra/uv/lock-project.ts';
import { exampleNote } from './example-note.ts';

export type Settings = Readonly<Record<string, string>>;

export interface CliAnswer {
  readonly code: number | undefined;
  /** Standard output and error together. */
  readonly text: string;
  readonly stdout: string;
  readonly ms: number;
}

export interface BadInputWorld {
  readonly lab: Lab;
  readonly settings: Settings;
  /** The script of the coding agent: what it writes to `variant.py`, by experiment. */
  readonly variants: Map<string, string>;
  /** Runs the real command line to its end. */
  cli(args: readonly string[], overrides?: Settings): Promise<CliAnswer>;
  startWorker(overrides?: Settings): Child;
  /** Settings of a namespace of its own: its workers see nothing of the others' experiments. */
  namespace(name: string): Promise<Settings>;
  /** A task note on disk for the small experiment of this world. */
  writeNote(id: string, overrides?: Partial<TaskNote>): Promise<string>;
  /** The typed client, for waiting without a process for every look. */
  experiments(overrides: Settings): Experiments;
  close(): Promise<void>;
}

const cliFile = join(import.meta.dirname, '..', '..', 'client', 'cli', 'index.ts');

/** Temporal and the lab with one small repository; workers and commands are started by the tests, as a person would. */
export async function startBadInputWorld(directory: string, tools: Tools): Promise<BadInputWorld> {
  const environment = toolEnvironment(processEnvironment());
  const home = join(directory, 'home');
  await mkdir(home, { recursive: true });
  const variants = new Map<string, string>();
  const python = await findLabPython(environment);
  const [server, lab] = await Promise.all([
    startDevServer({ temporal: tools.temporal }),
    startLab({ directory: join(directory, 'lab'), script: scriptOf(variants) }),
  ]);
  await seedSmall(lab, directory, { uv: tools.uv, environment, python: python.path });
  const settings: Settings = {
    ...lab.settings,
    HEPHAESTUS_HOME: home,
    HEPHAESTUS_GITHUB_POLL_SECONDS: '1',
    QIZHI_POLL_SECONDS: '1',
    QIZHI_REQUESTS_PER_SECOND: '20',
    TEMPORAL_ADDRESS: server.address,
    TEMPORAL_NAMESPACE: server.namespace,
  };
  const workers: Child[] = [];
  const opened: Experiments[] = [];
  return {
    lab,
    settings,
    variants,
    cli: (args, overrides = {}) =>
      runCli(args, { cwd: home, env: { ...environment, ...settings, ...overrides } }),
    startWorker(overrides = {}) {
      const worker = startChild({
        name: 'worker',
        argv: [process.execPath, cliFile, 'worker', '--zone', 'local', 'control', 'networked'],
        cwd: home,
        environment: { ...environment, ...settings, ...overrides },
      });
      workers.push(worker);
      return worker;
    },
    async namespace(name) {
      await registerNamespace(server.address, name);
      return { TEMPORAL_NAMESPACE: name };
    },
    writeNote: async (id, overrides = {}) => {
      const path = join(await mkdtemp(join(directory, 'note-')), 'QWEN_TASK.md');
      await writeFile(path, formatTaskNote({ note: smallNote(id, python, overrides), body: '## Why\n' }));
      return path;
    },
    experiments(overrides) {
      const { temporal } = loadConfig({ env: { ...settings, ...overrides }, zones: [], cwd: home });
      const experiments = openExperiments(temporal);
      opened.push(experiments);
      return experiments;
    },
    async close() {
      await Promise.all(opened.map((experiments) => experiments.close()));
      await Promise.all(workers.map((worker) => worker.stop()));
      await lab.close();
      await server.close();
    },
  };
}

async function runCli(
  args: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: Settings },
): Promise<CliAnswer> {
  const started = Date.now();
  const { exitCode, all, stdout } = await execa(process.execPath, [cliFile, ...args], {
    cwd,
    env,
    extendEnv: false,
    reject: false,
    all: true,
    stdin: 'ignore',
    timeout: 200_000,
  });
  return { code: exitCode, text: all, stdout, ms: Date.now() - started };
}

/** The models' script of this world. */
export function scriptOf(variants: ReadonlyMap<string, string>): ModelsScript {
  return {
    plan: () => '',
    implement: ({ experimentId }) => ({
      edits: [{ path: 'variant.py', newText: variants.get(experimentId) ?? goodTraining }],
      summary: 'variant.py trains.',
    }),
    note: () =>
      JSON.stringify({
        claim: 'The experiment ended before it could settle its hypothesis.',
        reading: 'There is no comparison to read.',
        limits: 'Nothing is said about others.',
        next: 'Mend the cause and start it again.',
      }),
  };
}

/** What a training needs at the least: one run, some rows. */
export const goodTraining = `import wandb

with wandb.init() as run:
    for step in range(3):
        run.log({"val/loss": 1.0 / (step + 1)})
`;

const project = `[project]
name = "small"
version = "0"
requires-python = ">=3.10"
dependencies = ["wandb==0.31.0"]
`;

/** A repository with what one training needs, and no more. */
export async function seedSmall(
  lab: Lab,
  directory: string,
  uv: { readonly uv: string; readonly environment: Settings; readonly python: string },
): Promise<void> {
  const folder = await mkdtemp(join(directory, 'small-'));
  await writeFile(join(folder, 'pyproject.toml'), project);
  await writeFile(join(folder, 'README.md'), '# Small\n');
  await lockProject(folder, uv);
  await lab.github.seedRepository({ owner: 'lab', name: 'small', from: folder, message: 'Begin' });
}

/** The task note of an experiment in that repository. */
export function smallNote(
  id: string,
  python: { readonly path: string; readonly version: string },
  overrides: Partial<TaskNote>,
): TaskNote {
  const note = exampleNote();
  return exampleNote({
    id,
    repository: 'lab/small',
    change: { paths: ['variant.py'] },
    environment: { python: python.version, lock: 'uv.lock', interpreter: python.path },
    job: { ...note.job, command: 'python variant.py' },
    seeds: [0],
    wandb: { mode: 'offline', project: 'small', entity: 'lab', group: id },
    baseline: null,
    ...overrides,
  });
}

async function registerNamespace(address: string, namespace: string): Promise<void> {
  const connection = await Connection.connect({ address });
  try {
    await connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
    });
  } finally {
    await connection.close();
  }
}
