import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { execa } from 'execa';
import { z } from 'zod';

import type { WandbSettings } from '../settings.ts';
import { signalGroup } from '../signal-group.ts';
import { unlessMissing } from '../unless-missing.ts';

export interface SyncRunOptions {
  /** What starts `wandb sync`, for example `['/usr/bin/wandb', 'sync']`. */
  readonly command: readonly string[];
  /**
   * The `run-<id>.wandb` to send; their folders must be named `offline-…`. One that cannot be read keeps the client from
   * sending any of them, so only logs that were read before may go together.
   */
  readonly logFiles: readonly string[];
  /** Overrides what the log says; needed where the log names no entity. */
  readonly entity: string;
  readonly project: string;
  readonly settings: WandbSettings;
  /** All that the child sees of the environment, besides what is set here. */
  readonly environment: Readonly<Record<string, string>>;
  /** A folder for this one try: the child's home, its own logs and caches. */
  readonly scratch: string;
  /** Wall-clock limit, ms. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** What can be said of a `wandb sync` that ended. None of it says that anything arrived: only the server knows. */
export interface SyncRunReport {
  readonly ended: 'exited' | 'timed-out';
  /** HTTP statuses that the client met, in order, without the good ones. */
  readonly statuses: readonly number[];
  /** The client's own words on what went wrong, for a person. */
  readonly words: string;
}

/**
 * Ends the whole process group as soon as its standard input closes, which the kernel does when whoever holds the other
 * end dies: a sync that outlives its worker could meet the next try of the same run and double its rows.
 */
const leash = `exec 3<&0
{ cat <&3; kill -KILL 0; } >/dev/null 2>&1 &
"$@" </dev/null 3<&-`;

/** Runs that one client sends side by side: its service takes them in one process. */
const mostAtOnce = 10;

/** A cancelled or overlong child gets this long to end by itself. */
const graceMs = 3_000;

/** Bounded, so that a server that is away ends this try soon and the next one is made by whoever started it. */
const retryBounds = {
  WANDB_X_GRAPHQL_RETRY_MAX: '3',
  WANDB_X_GRAPHQL_RETRY_WAIT_MIN_SECONDS: '1',
  WANDB_X_GRAPHQL_RETRY_WAIT_MAX_SECONDS: '5',
  WANDB_X_FILE_STREAM_RETRY_MAX: '3',
  WANDB_X_FILE_STREAM_RETRY_WAIT_MIN_SECONDS: '1',
  WANDB_X_FILE_STREAM_RETRY_WAIT_MAX_SECONDS: '5',
  WANDB_X_FILE_TRANSFER_RETRY_MAX: '3',
  WANDB_X_FILE_TRANSFER_RETRY_WAIT_MIN_SECONDS: '1',
  WANDB_X_FILE_TRANSFER_RETRY_WAIT_MAX_SECONDS: '5',
};

/**
 * Runs the real `wandb sync`, as a process group of its own that is dead when this returns or throws.
 * The exit code and the `.synced` marker are ignored on purpose: both are the same after most failures.
 * Throws the signal's reason when it was aborted.
 */
export async function syncRun(options: SyncRunOptions): Promise<SyncRunReport> {
  const { command, logFiles, entity, project, scratch, signal } = options;
  await mkdir(scratch, { recursive: true });
  signal.throwIfAborted();
  const parallel = ['-n', String(Math.min(logFiles.length, mostAtOnce))];
  const words = [...command, '--include-synced', ...parallel, '-e', entity, '-p', project, ...logFiles];
  const child = execa('sh', ['-c', leash, 'sh', ...words], {
    env: childEnvironment(options),
    extendEnv: false,
    cwd: scratch,
    stdin: 'pipe',
    all: true,
    reject: false,
    detached: true,
    cleanup: false,
    maxBuffer: 1_000_000,
  });
  const { pid } = child;
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    stopGroup(pid);
  }, options.timeoutMs);
  const onAbort = (): void => stopGroup(pid);
  signal.addEventListener('abort', onAbort);
  const forget = (): void => {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  };
  const result = await child.finally(forget);
  // The client's service process outlives a client that was killed.
  signalGroup(pid, 'SIGKILL');
  signal.throwIfAborted();
  const log = await readDebugLog(scratch);
  return {
    ended: timedOut ? 'timed-out' : 'exited',
    statuses: log.statuses,
    words: hideKey(
      [result.all ?? '', ...log.errors, pid === undefined ? result.shortMessage : ''].join('\n'),
      options.settings.apiKey,
    ).trim(),
  };
}

function childEnvironment({ environment, scratch, settings }: SyncRunOptions): Record<string, string> {
  return {
    ...retryBounds,
    ...environment,
    HOME: scratch,
    WANDB_DIR: scratch,
    WANDB_CACHE_DIR: join(scratch, 'cache'),
    WANDB_CONFIG_DIR: join(scratch, 'config'),
    WANDB_BASE_URL: settings.baseUrl,
    WANDB_API_KEY: settings.apiKey,
    NO_COLOR: '1',
  };
}

function stopGroup(pid: number | undefined): void {
  signalGroup(pid, 'SIGTERM');
  setTimeout(() => signalGroup(pid, 'SIGKILL'), graceMs).unref();
}

const DebugLine = z.object({
  level: z.string(),
  msg: z.string(),
  error: z.string().optional(),
  status: z.number().optional(),
});

/** `debug-sync.*.log` is the only place where all failures show, as lines of JSON. */
async function readDebugLog(scratch: string): Promise<{ statuses: number[]; errors: string[] }> {
  const folder = join(scratch, 'wandb', 'logs');
  const names = (await unlessMissing(readdir(folder))) ?? [];
  const texts = await Promise.all(
    names
      .filter((name) => name.startsWith('debug-sync'))
      .map((name) => unlessMissing(readFile(join(folder, name), 'utf8'))),
  );
  const lines = texts.flatMap((text = '') => text.split('\n')).flatMap(parseDebugLine);
  return {
    statuses: lines.flatMap(({ status }) => (status !== undefined && status >= 400 ? [status] : [])),
    errors: lines
      .filter(({ level }) => level.startsWith('ERROR'))
      .map(({ msg, error }) => (error === undefined ? msg : `${msg}: ${error}`)),
  };
}

function parseDebugLine(line: string): z.infer<typeof DebugLine>[] {
  try {
    const parsed = DebugLine.safeParse(JSON.parse(line));
    return parsed.success ? [parsed.data] : [];
  } catch (error) {
    // The last line may be cut short by a kill; this log is only read for a person.
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

function hideKey(text: string, key: string): string {
  return key === '' ? text : text.replaceAll(key, '***');
}
