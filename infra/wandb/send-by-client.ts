import { cp, mkdir, mkdtemp, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';

import type { WandbSettings } from '../settings.ts';
import { unlessMissing } from '../unless-missing.ts';
import { copyClosed, copyRest, finishRest, type GivenExit } from './copy-rest.ts';
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
  return withScratch(async (scratch) => {
    const links = await Promise.all(
      logFiles.map(async (log, index) => {
        const folder = join(scratch, 'runs', String(index), basename(dirname(log)));
        await linkFiles(log, folder);
        return linkLog(log, folder);
      }),
    );
    return syncRun({ ...clientOptions(deps, project), logFiles: links, scratch, signal });
  });
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

/**
 * The log that the client gets, in a folder of the same name: a link to the original where that is whole, else a copy.
 * The client locks a file beside the log and marks the log as sent, whatever became of it: neither belongs on a disk that
 * may know no locks, nor where people look.
 */
async function prepare(
  log: string,
  home: string,
  { found, rowsAreThere, exit, isLast }: SendOptions & { readonly isLast: boolean },
): Promise<string> {
  const folder = join(home, basename(dirname(log)));
  await linkFiles(log, folder);
  if (!rowsAreThere && found.logs.length === 1 && found.exit !== null) return linkLog(log, folder);
  const copy = join(folder, basename(log));
  const end = isLast ? exit : null;
  const known = found.known.get(log);
  if (rowsAreThere && known !== undefined) await finishRest(known.rest, copy, { log: known.log, exit: end });
  else if (rowsAreThere) await copyRest(log, copy, end);
  else await copyClosed(log, copy, exit);
  return copy;
}

async function linkLog(log: string, folder: string): Promise<string> {
  const link = join(folder, basename(log));
  await symlink(resolve(log), link);
  return link;
}

/** The client writes into `files`: what it makes there belongs to the run, where that may be. */
async function linkFiles(log: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const files = join(dirname(log), 'files');
  const target = join(folder, 'files');
  if ((await unlessMissing(stat(files))) === undefined) await mkdir(target);
  else if (await isWritable(files)) await symlink(resolve(files), target);
  else await cp(files, target, { recursive: true });
}
