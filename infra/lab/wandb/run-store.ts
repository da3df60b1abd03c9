import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import writeFileAtomic from 'write-file-atomic';

import { LineFile } from './line-file.ts';
import { newRunRecord, type RunKey, RunRecord } from './run-record.ts';
import { unlessMissing } from '../../unless-missing.ts';

/** One run with its lines. `history` is what `wandb-history.jsonl` holds, and so on. */
export interface StoredRun {
  record: RunRecord;
  readonly directory: string;
  readonly history: LineFile;
  readonly events: LineFile;
  readonly output: LineFile;
  /** When the server got how many history rows: a server that counts late answers from the past. */
  readonly counted: { readonly at: number; readonly rows: number }[];
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
    const run = await openLines(folder, newRunRecord(key, Date.now()));
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
  return openLines(folder, RunRecord.parse(JSON.parse(await readFile(path, 'utf8'))));
}

async function openLines(folder: string, record: RunRecord): Promise<StoredRun> {
  const history = await LineFile.open(join(folder, 'history.jsonl'));
  return {
    record,
    directory: folder,
    history,
    events: await LineFile.open(join(folder, 'events.jsonl')),
    output: await LineFile.open(join(folder, 'output.log')),
    counted: [{ at: 0, rows: history.lines.length }],
  };
}

async function save(run: StoredRun): Promise<void> {
  await mkdir(run.directory, { recursive: true });
  await writeFileAtomic(join(run.directory, 'run.json'), `${JSON.stringify(run.record, null, 2)}\n`);
}

function keyText(key: RunKey): string {
  return `${key.entity}/${key.project}/${key.runId}`;
}
