import { createHash } from 'node:crypto';
import { copyFile, readFile, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { execa } from 'execa';

import { preflight, type MachineTools } from './preflight.ts';
import { hasAll, publishOnce } from './publish-once.ts';
import { toolEnvironment } from './tool-environment.ts';
import { findOnPath, fits, probeVersion, type VersionRange } from './versions.ts';

/** Absolute paths. Those of a tool that was not asked for say where it would stand. */
export interface Tools {
  readonly temporal: string;
  readonly temporalTestServer: string;
  readonly uv: string;
  readonly wandb: string;
  /** For tests alone. */
  readonly shellcheck: string;
  /** A Python with `packaging` (tags and markers of packages) and `pyelftools`. */
  readonly python: string;
  readonly node: string;
  readonly geminiScript: string;
  readonly qwenScript: string;
  /** The command that starts Gemini CLI, to be followed by its arguments. */
  readonly gemini: readonly [string, ...string[]];
  /** The command that starts Qwen Code, to be followed by its arguments. */
  readonly qwen: readonly [string, ...string[]];
}

export type ToolName = 'temporal' | 'testServer' | 'uv' | 'wandb' | 'python' | 'shellcheck' | 'agents';

export interface EnsureToolsOptions {
  /** The checkout's `.tools`; may be deleted at any time that nothing runs. */
  readonly root: string;
  /** All when not given. */
  readonly which?: readonly ToolName[];
  /** Progress, a line at a time. */
  readonly log?: (line: string) => void;
  /** The environment of this process; children see only the allowed part of it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborting it ends an installation that is under way. */
  readonly signal?: AbortSignal;
}

/** Installing failed; the message ends with the installer's own last words. */
export class ToolInstallError extends Error {
  constructor(what: string, output: string) {
    super(
      `${what} failed. Its last words:\n${output.split('\n').slice(-15).join('\n')}\nCheck the network and the package index, then run the same command again.`,
    );
    this.name = 'ToolInstallError';
  }
}

interface Context {
  readonly root: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly machine: MachineTools;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal | undefined;
}

const everything: readonly ToolName[] = [
  'temporal',
  'testServer',
  'uv',
  'wandb',
  'python',
  'shellcheck',
  'agents',
];
const here = dirname(fileURLToPath(import.meta.url));

/** Whatever changes how the folders are made must change this. */
const recipe = '1';

const ranges = {
  temporal: { atLeast: [1, 9, 0], below: [2, 0, 0] },
  uv: { atLeast: [0, 13, 0], below: [0, 14, 0] },
  wandb: { atLeast: [0, 31, 0], below: [1, 0, 0] },
  gemini: { atLeast: [0, 61, 0], below: [1, 0, 0] },
  qwen: { atLeast: [0, 24, 0], below: [1, 0, 0] },
} as const satisfies Record<string, VersionRange>;

const geminiInside = 'node_modules/@google/gemini-cli/bundle/gemini.js';
const qwenInside = 'node_modules/@qwen-code/qwen-code/cli.js';

/**
 * Finds or installs the outside programs. One that is on the `PATH` in a version that fits is used; the others are
 * installed once below `root`, exactly as the lock files say. Safe to call from many processes at once.
 *
 * Throws `MissingToolError` (the machine lacks Python, git or npm) or `ToolInstallError`.
 */
export async function ensureTools(options: EnsureToolsOptions): Promise<Tools> {
  const environment = toolEnvironment(options.environment);
  const machine = await preflight(environment);
  const context: Context = {
    root: options.root,
    environment,
    machine,
    log: options.log ?? (() => undefined),
    signal: options.signal,
  };
  const which = new Set(options.which ?? everything);
  const [python, agents] = await Promise.all([pythonTools(context, which), agentTools(context, which)]);
  return { ...python, ...agents, node: process.execPath };
}

type PythonTools = Pick<Tools, 'temporal' | 'temporalTestServer' | 'uv' | 'wandb' | 'python' | 'shellcheck'>;

async function pythonTools(context: Context, which: ReadonlySet<ToolName>): Promise<PythonTools> {
  const [temporal, uv, wandb] = await Promise.all(
    (['temporal', 'uv', 'wandb'] as const).map(async (name) =>
      which.has(name) ? findFitting(name, context.environment) : undefined,
    ),
  );
  const digest = await digestOf([join(here, 'requirements.txt')]);
  const missing =
    which.has('testServer') ||
    which.has('shellcheck') ||
    which.has('python') ||
    (which.has('temporal') && temporal === undefined) ||
    (which.has('uv') && uv === undefined) ||
    (which.has('wandb') && wandb === undefined);
  const folder = missing ? await publishPython(context, digest) : join(context.root, `python-${digest}`);
  const bin = join(folder, 'bin');
  return {
    temporal: temporal ?? join(bin, 'temporal'),
    temporalTestServer: join(bin, 'temporal-test-server'),
    uv: uv ?? join(bin, 'uv'),
    wandb: wandb ?? join(bin, 'wandb'),
    // Every version of it knows other warnings: only the locked one is asked.
    shellcheck: join(bin, 'shellcheck'),
    python: join(bin, 'python'),
  };
}

async function publishPython(context: Context, digest: string): Promise<string> {
  const { machine, log } = context;
  return publishOnce({
    root: context.root,
    kind: 'python',
    digest,
    // `bin/python` is a link to the machine's Python, which may have been removed since.
    works: (folder) =>
      hasAll(
        folder,
        ['python', 'temporal', 'temporal-test-server', 'uv', 'wandb', 'shellcheck'].map(
          (name) => `bin/${name}`,
        ),
      ),
    onWait: () => log('tools: another process is installing Temporal, uv and wandb, waiting for it'),
    build: async (folder, signal) => {
      const started = performance.now();
      log('tools: installing Temporal, uv, wandb and shellcheck from PyPI (once, about 260 MB on disk)');
      await run(context, 'python3 -m venv', [machine.python, '-m', 'venv', folder], folder, signal);
      const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input'];
      const requirements = ['--require-hashes', '-r', join(here, 'requirements.txt')];
      const install = [join(folder, 'bin', 'python'), ...pip, ...requirements] as const;
      await run(context, 'pip install', install, folder, signal);
      log(`tools: Temporal, uv and wandb installed in ${seconds(started)}`);
    },
  });
}

type AgentTools = Pick<Tools, 'geminiScript' | 'qwenScript' | 'gemini' | 'qwen'>;

async function agentTools(context: Context, which: ReadonlySet<ToolName>): Promise<AgentTools> {
  const wanted = which.has('agents');
  const [gemini, qwen] = await Promise.all(
    (['gemini', 'qwen'] as const).map(async (name) =>
      wanted ? findFitting(name, context.environment) : undefined,
    ),
  );
  const digest = await digestOf(
    ['package.json', 'package-lock.json'].map((name) => join(here, 'agents', name)),
  );
  const missing = wanted && (gemini === undefined || qwen === undefined);
  const folder = missing ? await publishAgents(context, digest) : join(context.root, `agents-${digest}`);
  const geminiScript = gemini === undefined ? join(folder, geminiInside) : await realpath(gemini);
  const qwenScript = qwen === undefined ? join(folder, qwenInside) : await qwenEntry(qwen);
  return {
    geminiScript,
    qwenScript,
    gemini: isScript(geminiScript) ? [process.execPath, geminiScript] : [geminiScript],
    // Without this flag Qwen Code takes 1.9 GB of memory on Node 24 instead of 0.3; it is refused in NODE_OPTIONS.
    qwen: isScript(qwenScript) ? [process.execPath, '--liftoff-only', qwenScript] : [qwenScript],
  };
}

/** The `qwen` on the path is a wrapper that starts `cli.js` beside it as a child, which then outlives a SIGTERM. */
async function qwenEntry(program: string): Promise<string> {
  const entry = await realpath(program);
  const folder = dirname(entry);
  return isScript(entry) && (await hasAll(folder, ['cli.js'])) ? join(folder, 'cli.js') : entry;
}

function isScript(path: string): boolean {
  return /\.[cm]?js$/.test(path);
}

async function publishAgents(context: Context, digest: string): Promise<string> {
  const { machine, log } = context;
  return publishOnce({
    root: context.root,
    kind: 'agents',
    digest,
    works: (folder) => hasAll(folder, [geminiInside, qwenInside]),
    onWait: () => log('tools: another process is installing Gemini CLI and Qwen Code, waiting for it'),
    build: async (folder, signal) => {
      const started = performance.now();
      log('tools: installing Gemini CLI and Qwen Code from npm (once, about 220 MB on disk)');
      for (const name of ['package.json', 'package-lock.json']) {
        await copyFile(join(here, 'agents', name), join(folder, name));
      }
      // Optional parts are native extras that not every registry carries; install scripts would compile them.
      const flags = ['--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
      await run(context, 'npm ci', [machine.npm, 'ci', ...flags], folder, signal);
      log(`tools: Gemini CLI and Qwen Code installed in ${seconds(started)}`);
    },
  });
}

async function findFitting(
  name: keyof typeof ranges,
  environment: Context['environment'],
): Promise<string | undefined> {
  const path = await findOnPath(name, environment);
  const version = path === undefined ? undefined : await probeVersion(path, environment);
  return version !== undefined && fits(version, ranges[name]) ? path : undefined;
}

async function run(
  context: Context,
  what: string,
  [program, ...args]: readonly [string, ...string[]],
  cwd: string,
  signal: AbortSignal,
): Promise<void> {
  const result = await execa(program, args, {
    cwd,
    env: context.environment,
    extendEnv: false,
    reject: false,
    all: true,
    stdin: 'ignore',
    cancelSignal: context.signal === undefined ? signal : AbortSignal.any([signal, context.signal]),
  });
  if (result.failed)
    throw new ToolInstallError(what, result.all || result.shortMessage || 'nothing was printed');
}

async function digestOf(paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(recipe);
  for (const path of paths) hash.update(await readFile(path));
  return hash.digest('hex').slice(0, 8);
}

function seconds(startedMs: number): string {
  return `${((performance.now() - startedMs) / 1000).toFixed(0)} s`;
}
