import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';

import { unlessMissing } from '../unless-missing.ts';
import { type ItemTree, setItem, treeItems } from './item-tree.ts';
import { LogWriter } from './log-writer.ts';
import { readTransactionLog, type TransactionLog } from './transaction-log.ts';

/** What was learnt of a log, and where the records lie that the real client will need of it. */
export interface KnownLog {
  readonly log: TransactionLog;
  /** A log of its own without rows, summaries and end; its first `length` bytes count. */
  readonly rest: { readonly path: string; readonly length: number };
}

const Items = z
  .array(z.object({ path: z.array(z.string()), json: z.string() }))
  .transform((items): ItemTree => {
    const tree: ItemTree = new Map();
    for (const item of items) setItem(tree, item);
    return tree;
  });

/** As it lies on the disk. */
const Entry = z.object({
  version: z.literal(1),
  path: z.string(),
  /** By which a log is known again: its beginning, and the bytes before `position`. */
  mark: z.string(),
  restLength: z.int(),
  log: z.object({
    run: z
      .object({
        runId: z.string(),
        entity: z.string(),
        project: z.string(),
        group: z.string(),
        jobType: z.string(),
        displayName: z.string(),
        notes: z.string(),
        tags: z.array(z.string()),
        host: z.string(),
        config: Items,
      })
      .nullable(),
    rows: z.int(),
    lastStep: z.int().nullable(),
    exit: z.object({ code: z.int(), runtimeSeconds: z.number() }).nullable(),
    summary: Items,
    files: z.array(z.string()),
    producer: z.string(),
    records: z.int(),
    position: z.int(),
  }),
});

type Entry = z.infer<typeof Entry>;

/** Of the beginning, and of what stands before the position. */
const markBytes = 1024;

/**
 * What was learnt of logs while they grew, in files of this machine, so that at the end of a run only the end of its log
 * has to be read. It may be deleted at any time, which costs one more reading. What it says follows from the log alone:
 * two processes that write the same entry write the same.
 */
export class LogMemory {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Reads what is new of a log, as far as the record that reaches byte `until`, and keeps it. */
  async learn(path: string, until = Infinity): Promise<KnownLog> {
    const name = this.#nameOf(path);
    const rest = `${name}.rest`;
    const before = await this.#entry(path);
    const writer = await (before === undefined
      ? createAnew(this.#folder, rest)
      : LogWriter.resume(rest, before.restLength));
    let log: TransactionLog;
    try {
      log = await readTransactionLog(path, {
        ...(before && { after: before.log }),
        until,
        onRest: async (payload) => writer.write(payload),
      });
      // An entry that outlives a power loss without it would have the client send whatever the disk holds there.
      if (log.position !== before?.log.position) await writer.sync();
    } finally {
      await writer.close();
    }
    if (log.position !== before?.log.position) await this.#keep(path, log, writer.length);
    return { log, rest: { path: rest, length: writer.length } };
  }

  /** The same for a log that something was learnt of before; undefined for any other. */
  async recall(path: string): Promise<KnownLog | undefined> {
    return (await this.#entry(path)) === undefined ? undefined : this.learn(path);
  }

  async forget(path: string): Promise<void> {
    const name = this.#nameOf(path);
    await rm(`${name}.json`, { force: true });
    await rm(`${name}.rest`, { force: true });
  }

  /** Forgets what was learnt of logs that are gone. */
  async prune(): Promise<void> {
    for (const name of (await unlessMissing(readdir(this.#folder))) ?? []) {
      if (!name.endsWith('.json')) continue;
      const text = await unlessMissing(readFile(join(this.#folder, name), 'utf8'));
      const entry = parse(text ?? '');
      if (entry === undefined || (await unlessMissing(stat(entry.path))) !== undefined) continue;
      await this.forget(entry.path);
    }
  }

  #nameOf(path: string): string {
    return join(this.#folder, createHash('sha256').update(path).digest('hex').slice(0, 32));
  }

  async #entry(path: string): Promise<Entry | undefined> {
    const name = this.#nameOf(path);
    const text = await unlessMissing(readFile(`${name}.json`, 'utf8'));
    const entry = text === undefined ? undefined : parse(text);
    if (entry?.path !== path || entry.mark !== (await markOf(path, entry.log.position))) return undefined;
    const rest = await unlessMissing(stat(`${name}.rest`));
    return rest !== undefined && rest.size >= entry.restLength ? entry : undefined;
  }

  async #keep(path: string, log: TransactionLog, restLength: number): Promise<void> {
    const entry = {
      version: 1,
      path,
      mark: await markOf(path, log.position),
      restLength,
      log: {
        ...log,
        // How reading ended says nothing of a log that grows.
        end: undefined,
        run: log.run && { ...log.run, config: treeItems(log.run.config) },
        summary: treeItems(log.summary),
      },
    };
    await writeFileAtomic(`${this.#nameOf(path)}.json`, JSON.stringify(entry), { fsync: false });
  }
}

async function createAnew(folder: string, rest: string): Promise<LogWriter> {
  await mkdir(folder, { recursive: true });
  await rm(rest, { force: true });
  return LogWriter.create(rest);
}

/** Undefined for what is no entry, or one of another version. */
function parse(text: string): Entry | undefined {
  try {
    return Entry.safeParse(JSON.parse(text)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** '' where the log is shorter than what was read of it, or gone. */
async function markOf(path: string, position: number): Promise<string> {
  const file = await unlessMissing(open(path, 'r'));
  if (file === undefined) return '';
  try {
    const hash = createHash('sha256');
    for (const end of [Math.min(markBytes, position), position]) {
      const from = Math.max(0, end - markBytes);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(end - from), 0, end - from, from);
      if (bytesRead < end - from) return '';
      hash.update(buffer);
    }
    return hash.digest('hex');
  } finally {
    await file.close();
  }
}
