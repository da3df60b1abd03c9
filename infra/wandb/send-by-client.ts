import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

import type { WandbSettings } from '../settings.ts';
import { unlessMissing } from '../unless-missing.ts';
import { copyClosed, copyRest, type GivenExit } from './copy-rest.ts';
import { isWritable, type RunLogs } from './run-logs.ts';
import { syncRun, type SyncRunReport } from './sync-run.ts';
import type { RunPath } from './wandb-client.ts';

/** What the real client needs to be run. */
export interface ClientDeps {
  readonly settings: WandbSettings;
  /** What starts `wandb sync`, for example `['/usr/bin/wandb', 'sync']`. */
  readonly syncCommand: readonly string[];
  /** All that the client sees of this process's environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Wall-clock limit of one client, ms. */
  readonly syncTimeoutMs: number;
}

export interface SendOptions {
  readonly path: RunPath;
  readonly found: RunLogs;
  /** The server holds the history already: only the rest is sent. */
  readonly rowsAreThere: boolean;
  /** How the run is closed where its log has no end. */
  readonly exit: GivenExit;
  readonly signal: AbortSignal;
}

/** Sends one run by the real `wandb sync`, in a folder of its own that is gone afterwards. */
export async function sendByClient(deps: ClientDeps, options: SendOptions): Promise<SyncRunReport> {
  const { path, found, signal } = options;
  return withScratch(async (scratch) => {
    let report: SyncRunReport = { ended: 'exited', statuses: [], words: '' };
    // Fragments one after another: the last one to arrive says how the run ended.
    for (const [index, log] of found.logs.entries()) {
      const home = join(scratch, String(index));
      const isLast = index === found.logs.length - 1;
      const logFile = await prepare(log, home, { ...options, isLast });
      const next = await syncRun({
        ...clientOptions(deps, path),
        logFiles: [logFile],
        scratch: home,
        signal,
      });
      report = {
        ended: next.ended === 'timed-out' ? next.ended : report.ended,
        statuses: [...report.statuses, ...next.statuses],
        words: [report.words, next.words].join('\n').trim(),
      };
    }
    return report;
  });
}

/** Sends several finished runs of one project, of which the server has nothing, by one client: its start is the dear part. */
export async function sendTogether(
  deps: ClientDeps,
  project: Omit<RunPath, 'runId'>,
  logFiles: readonly string[],
  signal: AbortSignal,
): Promise<SyncRunReport> {
  return withScratch((scratch) => syncRun({ ...clientOptions(deps, project), logFiles, scratch, signal }));
}

function clientOptions(deps: ClientDeps, { entity, project }: Omit<RunPath, 'runId'>) {
  const { settings, syncCommand, environment, syncTimeoutMs } = deps;
  return { command: syncCommand, entity, project, settings, environment, timeoutMs: syncTimeoutMs };
}

async function withScratch<T>(act: (scratch: string) => Promise<T>): Promise<T> {
  const scratch = await mkdtemp(join(tmpdir(), 'hephaestus-wandb-'));
  try {
    return await act(scratch);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The log that the client gets: the original where that is whole, else a copy in a folder of the same name. */
async function prepare(
  log: string,
  home: string,
  { found, rowsAreThere, exit, isLast }: SendOptions & { readonly isLast: boolean },
): Promise<string> {
  const original = dirname(log);
  const writable = await isWritable(original);
  if (!rowsAreThere && found.logs.length === 1 && found.exit !== null && writable) return log;
  const folder = join(home, basename(original));
  await mkdir(folder, { recursive: true });
  const files = join(original, 'files');
  if ((await unlessMissing(cpOrLink(files, join(folder, 'files'), writable))) === undefined) {
    await mkdir(join(folder, 'files'));
  }
  const copy = join(folder, basename(log));
  if (rowsAreThere) await copyRest(log, copy, isLast ? exit : null);
  else await copyClosed(log, copy, exit);
  return copy;
}

/** The client writes into `files`: what it makes there belongs to the run, where that may be. */
async function cpOrLink(files: string, target: string, writable: boolean): Promise<true> {
  if (!writable || !(await isWritable(files))) await cp(files, target, { recursive: true });
  else await symlink(files, target);
  return true;
}
