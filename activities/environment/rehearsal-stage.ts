import { access, mkdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import type { TaskNote } from '../../domain/task-note.ts';
import { Failure } from '../../infra/failure.ts';
import type { IsolationOptions } from '../../infra/isolation/isolation.ts';
import { unlessMissing } from '../../infra/unless-missing.ts';
import { attemptDir, sourceDir } from '../attempts/attempt-paths.ts';
import { startScript } from '../attempts/start-script.ts';
import type { EnvironmentDependencies } from './freeze.ts';
import type { RehearseCommandInput } from './interface.ts';
import { git } from './worktree.ts';

/** The number of no real attempt: those begin with 1. */
const attempt = 0;
const unknownUser = 65_534;
const hostName = 'rehearsal';

/** The folders of one rehearsal, made anew for it. */
export interface RehearsalStage {
  /** Where the records of the rehearsal are written. */
  readonly folder: string;
  /** The attempt's folder, for this process. */
  readonly attemptFolder: string;
  /** What runs inside the isolation. */
  readonly startScript: string;
  readonly surroundings: IsolationOptions;
}

export interface StageOptions extends RehearseCommandInput {
  readonly dependencies: EnvironmentDependencies;
  /** Empty, on this machine, removed afterwards. */
  readonly scratch: string;
  /** Whether folders can be shown at other places than they stand at. */
  readonly canShow: boolean;
}

/**
 * Sets up a copy of the experiment at its head, with a start script made by the same code as the job's, so that the
 * command may write as it likes and the worktree stays as it is. The copy has no `.git`. Where folders can be shown
 * elsewhere, the command sees the shared disk, read-only, at the job's path and the copy in the experiment's place.
 */
export async function setStage(options: StageOptions): Promise<RehearsalStage> {
  const { dependencies, scratch, experimentId, seed, headSha, canShow } = options;
  const { sharedDir, jobSharedDir } = dependencies.disk;
  const folder = join(scratch, 'records');
  const disk = join(scratch, 'shared');
  const experiment = dirname(sourceDir(disk, experimentId));
  const attemptFolder = attemptDir(disk, { experimentId, attempt, seed });
  await Promise.all([folder, attemptFolder].map((path) => mkdir(path, { recursive: true })));
  const original = sourceDir(sharedDir, experimentId);
  await checkOut(original, headSha, sourceDir(disk, experimentId), dependencies.environment);
  await symlink(await readlink(join(original, '.venv')), join(sourceDir(disk, experimentId), '.venv'));
  if (!canShow) await symlink(join(sharedDir, 'environments'), join(disk, 'environments'));
  await layWatch(scratch);
  const place = canShow ? jobSharedDir : disk;
  const script = join(attemptFolder, 'start.sh');
  await writeFile(script, await scriptText(options, place));
  return {
    folder,
    attemptFolder,
    startScript: join(attemptDir(place, { experimentId, attempt, seed }), 'start.sh'),
    surroundings: await surroundings(options, experiment, original),
  };
}

/** The command finds the watch for connections before anything else; the start script clears the variable, not the command. */
async function scriptText({ note, seed, experimentId, runId, scratch }: StageOptions, place: string) {
  const watched: TaskNote = {
    ...note,
    job: { ...note.job, command: `export PYTHONPATH='${join(scratch, 'watch')}'\n${note.job.command}` },
  };
  return startScript({
    experimentId,
    attempt,
    seed,
    runId,
    note: watched,
    jobSharedDir: place,
    entity: undefined,
  });
}

/** Not `git archive`, which leaves out what a repository marks as not for export. */
async function checkOut(
  source: string,
  headSha: string,
  target: string,
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  await mkdir(target, { recursive: true });
  const index = { ...environment, GIT_INDEX_FILE: join(dirname(target), 'index') };
  await git(source, ['read-tree', headSha], index);
  await git(source, ['checkout-index', '--all', '--force', `--prefix=${target}/`], index);
}

async function layWatch(scratch: string): Promise<void> {
  const watch = join(scratch, 'watch');
  await mkdir(watch);
  const text = await readFile(join(import.meta.dirname, 'watch', 'sitecustomize.py'));
  await writeFile(join(watch, 'sitecustomize.py'), text);
  await writeFile(join(scratch, 'hosts'), `127.0.0.1 localhost ${hostName}\n::1 localhost\n`);
}

async function surroundings(
  { dependencies, scratch, experimentId }: StageOptions,
  experiment: string,
  original: string,
): Promise<IsolationOptions> {
  const { disk, environment } = dependencies;
  const prefix = await interpreterPrefix(join(original, '.venv'));
  const home = environment['HOME'];
  return {
    hostName,
    hide: [
      '/tmp',
      ...(home === undefined || home === '/' ? [] : [home]),
      ...(disk.sharedDir === disk.jobSharedDir ? [] : [disk.sharedDir]),
    ],
    bind: [
      ...(prefix === null ? [] : [{ from: prefix, to: prefix }]),
      { from: disk.sharedDir, to: disk.jobSharedDir },
      { from: experiment, to: dirname(sourceDir(disk.jobSharedDir, experimentId)), writable: true },
      { from: scratch, to: scratch, writable: true },
      // A machine knows itself; without this a look-up of the own name would count as reaching out.
      { from: join(scratch, 'hosts'), to: '/etc/hosts' },
    ],
    userId: unknownUser,
  };
}

/** The folder of an image's interpreter; null for one inside the environment, which goes without `home`. */
async function interpreterPrefix(venv: string): Promise<string | null> {
  const text = await unlessMissing(readFile(join(venv, 'pyvenv.cfg'), 'utf8'));
  if (text === undefined) {
    throw new Failure(
      'EnvironmentNotPortable',
      `${venv} leads to no environment: expected the link that freezing makes. Freeze the environment again.`,
    );
  }
  const home = /^home\s*=\s*(.+)$/m.exec(text)?.[1]?.trim();
  return home === undefined ? null : dirname(home);
}

/** Whether this machine shows a GPU of NVIDIA to its processes. */
export async function hasGpu(): Promise<boolean> {
  return (await unlessMissing(access('/dev/nvidiactl').then(() => true))) ?? false;
}
