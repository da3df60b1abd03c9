import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import PQueue from 'p-queue';
import writeFileAtomic from 'write-file-atomic';

import { History } from './history.ts';
import { LineFile } from './line-file.ts';
import { newRunRecord, type RunKey, RunRecord } from './run-record.ts';
import { unlessMissing } from '../../unless-missing.ts';

/** One run with its lines. `history` is what `wandb-history.jsonl` holds, and so on. */
export interface StoredRun {
  record: RunRecord;
  readonly directory: string;
  readonly history: History;
  readonly events: LineFile;
  readonly output: LineFile;
  /** Changes of the run's lines go through here, one at a time. */
  readonly queue: PQueue;
}

export interface RunStore {
  find(key: RunKey): StoredRun | undefined;
  findOrCreate(key: RunKey): Promise<{ readonly run: StoredRun; readonly inserted: boolean }>;
  /** Changes the record and writes it to disk. */
  update(run: StoredRun, change: Partial<RunRecord>): Promise<void>;
  /** Newest first; deleted ones are left out. */
  list(entity?: string, project?: string): readonly StoredRun[];
}

/** Opens the folder `directory/runs`: one folder each run, everything in it plain text. */
export async function openRunStore(directory: string): Promise<RunStore> {
  const root = join(directory, 'runs');
  await mkdir(root, { recursive: true });
  const runs = new Map<string, StoredRun>();
  for (const name of await readdir(root)) {
    const run = await openRun(join(root, name));
    if (run !== undefined) runs.set(keyText(run.record), run);
  }

  async function create(key: RunKey): Promise<StoredRun> {
    const folder = join(root, Buffer.from(keyText(key)).toString('base64url'));
    const run = withLines(folder, newRunRecord(key, Date.now()));
    // In the map before anything is awaited again: two first requests must not make two runs.
    runs.set(keyText(key), run);
    await save(run);
    return run;
  }

  const creating = new Map<string, Promise<StoredRun>>();
  return {
    find: (key) => runs.get(keyText(key)),
    async findOrCreate(key) {
      const known = runs.get(keyText(key));
      if (known !== undefined) return { run: known, inserted: false };
      const pending = creating.get(keyText(key)) ?? create(key);
      creating.set(keyText(key), pending);
      return { run: await pending, inserted: true };
    },
    async update(run, change) {
      run.record = { ...run.record, ...change };
      await save(run);
    },
    list: (entity, project) =>
      [...runs.values()]
        .filter(({ record }) => !record.deleted)
        .filter(({ record }) => entity === undefined || record.entity === entity)
        .filter(({ record }) => project === undefined || record.project === project)
        .toSorted((a, b) => b.record.createdAt - a.record.createdAt),
  };
}

async function openRun(folder: string): Promise<StoredRun | undefined> {
  const path = join(folder, 'run.json');
  const exists = await unlessMissing(stat(path));
  if (exists === undefined) return undefined;
  return withLines(folder, RunRecord.parse(JSON.parse(await readFile(path, 'utf8'))));
}

/** The files are read when they are first asked for: a server with thousands of runs starts at once. */
function withLines(folder: string, record: RunRecord): StoredRun {
  return {
    record,
    directory: folder,
    history: new History(join(folder, 'history.lines')),
    events: new LineFile(join(folder, 'events.lines')),
    output: new LineFile(join(folder, 'output.lines')),
    queue: new PQueue({ concurrency: 1 }),
  };
}

async function save(run: StoredRun): Promise<void> {
  await mkdir(run.directory, { recursive: true });
  const text = `${JSON.stringify(run.record, null, 2)}\n`;
  // The end of the process loses nothing of it; only that of the machine would, and the lab does not promise that.
  await writeFileAtomic(join(run.directory, 'run.json'), text, { fsync: false });
}

function keyText(key: RunKey): string {
  return `${key.entity}/${key.project}/${key.runId}`;
}
