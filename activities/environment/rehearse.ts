import { copyFile, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, sep } from 'node:path';

import { execa } from 'execa';
import { z } from 'zod';

import { Failure } from '../../infra/failure.ts';
import {
  isolatedCommand,
  missingGuarantees,
  type Isolation,
  type IsolationOptions,
} from '../../infra/isolation/isolation.ts';

export interface RehearsalOptions {
  /** The environment at its final path. */
  readonly folder: string;
  /** The same folder as the job sees it; where namespaces exist the rehearsal is held there. */
  readonly path: string;
  /** Folder of the image's interpreter; null for a managed one. */
  readonly interpreterPrefix: string | null;
  readonly isolation: Isolation;
  /** Absolute paths that the job will not have. */
  readonly hide: readonly string[];
  /** Search path for the isolation's own programs. */
  readonly searchPath: string;
  readonly signal: AbortSignal;
}

const Report = z.object({
  version: z.string(),
  executable: z.string(),
  packages: z.array(z.object({ name: z.string(), version: z.string() })),
  imported: z.array(z.string()),
  failures: z.array(z.object({ name: z.string(), error: z.string() })),
  outside: z.array(z.object({ name: z.string(), file: z.string() })),
  /** Shared libraries that were taken from the machine; the image must have them too. */
  systemLibraries: z.array(z.string()),
});
type Report = z.infer<typeof Report>;

export interface Rehearsal extends Report {
  /** Sentences; empty when everything was imported from where it belongs. */
  readonly findings: readonly string[];
  readonly missingGuarantees: readonly string[];
}

const limitMs = 300_000;
const unknownUser = 65_534;

/**
 * Imports every top-level package of the environment as the job will: at the job's path, without network, read-only, as
 * another user, without a home, everything else of this machine hidden, as far as its isolation allows. The bytecode of
 * what was imported is kept in the environment: jobs start in about half the time, for next to nothing.
 */
export async function rehearse(options: RehearsalOptions): Promise<Rehearsal> {
  const scratch = await mkdtemp(join(tmpdir(), 'rehearsal-'));
  const place = options.isolation === 'namespaces' ? options.path : options.folder;
  try {
    const report = await runProbe(options, place, scratch);
    await keepBytecode(join(scratch, 'bytecode', place), options.folder);
    return {
      ...report,
      findings: findingsOf(report),
      missingGuarantees: [...missingGuarantees(options.isolation), ...otherPlace(options, place)],
    };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function otherPlace({ path }: RehearsalOptions, place: string): readonly string[] {
  if (place === path) return [];
  return [
    `The environment was rehearsed at ${place}; the job sees it at ${path}, which cannot be shown here.`,
  ];
}

async function runProbe(options: RehearsalOptions, place: string, scratch: string): Promise<Report> {
  const { isolation, searchPath, signal } = options;
  const probe = join(scratch, 'probe.py');
  const file = join(scratch, 'report.json');
  await copyFile(join(import.meta.dirname, 'probe.py'), probe);
  const python = join(place, 'venv', 'bin', 'python');
  const argv = [python, '-I', '-X', `pycache_prefix=${join(scratch, 'bytecode')}`, probe, file];
  const [program, ...args] = isolatedCommand(isolation, argv, surroundings(options, scratch));
  const result = await execa(program, args, {
    cwd: scratch,
    env: { PATH: searchPath, HOME: '/nonexistent', TMPDIR: scratch, LANG: 'C.UTF-8' },
    extendEnv: false,
    reject: false,
    all: true,
    stdin: 'ignore',
    timeout: limitMs,
    killSignal: 'SIGKILL',
    cancelSignal: signal,
  });
  signal.throwIfAborted();
  if (!result.failed) return Report.parse(JSON.parse(await readFile(file, 'utf8')));
  const words = (result.all || result.shortMessage || '').split('\n').slice(-20).join('\n');
  const how = result.timedOut
    ? `did not end within ${limitMs / 1000} s`
    : `ended with exit code ${result.exitCode ?? 'none'}`;
  throw new Failure(
    'EnvironmentNotPortable',
    `The rehearsal of ${options.folder}${place === options.folder ? '' : ` at ${place}`} ${how}: Python does not start there, or a package ends it at import.\n${words}`,
  );
}

/** Of what may be hidden only the environment itself, its interpreter and a folder for the report remain. */
function surroundings(options: RehearsalOptions, scratch: string): IsolationOptions {
  const { folder, path, interpreterPrefix, hide } = options;
  const hidden = [...hide, dirname(folder)];
  const behind = (place: string) => hidden.some((candidate) => isInside(place, candidate));
  return {
    hostName: 'rehearsal',
    hide: hidden,
    bindReadOnly: interpreterPrefix !== null && behind(interpreterPrefix) ? [interpreterPrefix] : [],
    bind: [
      { from: folder, to: path },
      ...(behind(scratch) ? [{ from: scratch, to: scratch, writable: true }] : []),
    ],
    userId: unknownUser,
  };
}

function findingsOf(report: Report): readonly string[] {
  return [
    ...report.failures.map(({ name, error }) => `import ${name} fails: ${error}`),
    ...report.outside.map(({ name, file }) => `${name} was loaded from ${file}, outside the environment.`),
  ];
}

/** From `<mirror>/a/b.cpython-311.pyc` to `<folder>/a/__pycache__/b.cpython-311.pyc`. */
async function keepBytecode(mirror: string, folder: string): Promise<void> {
  const entries = await readdir(mirror, { withFileTypes: true }).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  });
  const compiled = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.pyc'));
  if (compiled.length > 0) {
    const cache = join(folder, '__pycache__');
    await mkdir(cache, { recursive: true });
    await Promise.all(compiled.map((entry) => copyFile(join(mirror, entry.name), join(cache, entry.name))));
  }
  for (const entry of entries) {
    if (entry.isDirectory()) await keepBytecode(join(mirror, entry.name), join(folder, entry.name));
  }
}

function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder + sep) || dirname(folder) === folder;
}
