import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import MiniSearch from 'minisearch';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';

import { unlessMissing } from '../../infra/unless-missing.ts';
import { type CataloguedNote, readNote } from './catalogued-note.ts';
import { searchWords } from './search-words.ts';

export interface FoundNote {
  readonly note: CataloguedNote;
  /** Larger is nearer; comparable within one search only. */
  readonly score: number;
  /** The words of the question that the note has. */
  readonly words: readonly string[];
}

/** The notes of a vault as they stand on disk. */
export interface Catalogue {
  readonly notes: readonly CataloguedNote[];
  /** The notes that have words of the question, nearest first. */
  search(question: string, limit: number): FoundNote[];
}

export interface CatalogueReader {
  /** Looks at the disk again; reads only what has changed since the last look, also since one of an earlier process. */
  read(folder: string): Promise<Catalogue>;
}

interface Entry {
  /** Size and time of change: what tells that a file has changed. */
  readonly mark: string;
  readonly note: CataloguedNote;
}

/** Anything that changes what `readNote` returns must change this. */
const format = 1;
const Kept = z.looseObject({ format: z.literal(format), folder: z.string(), entries: z.array(z.unknown()) });
const filesAtOnce = 64;
/** The cache is written anew once this part of the notes (1 of so many) is not in it as it stands. */
const keptPart = 50;

/** `cacheFile`: where what was read is kept for the next process; it may be deleted at any time. */
export function createCatalogueReader(cacheFile: string): CatalogueReader {
  let known: { readonly folder: string; readonly entries: Map<string, Entry>; readonly index: Index } | null =
    null;
  let unkept = 0;
  return {
    async read(folder) {
      const current = known;
      const entries = current?.folder === folder ? current.entries : await readCache(cacheFile, folder);
      const index = current?.folder === folder ? current.index : createIndex(entries);
      unkept += await refresh(folder, entries, index);
      known = { folder, entries, index };
      // A few files are read again as quickly as a large cache is written.
      if (unkept * keptPart > entries.size) {
        await writeCache(cacheFile, folder, entries);
        unkept = 0;
      }
      return {
        notes: [...entries.values()].map(({ note }) => note),
        search: (...args) => search(index, entries, ...args),
      };
    },
  };
}

type Index = MiniSearch<CataloguedNote>;

function createIndex(entries: ReadonlyMap<string, Entry>): Index {
  const index: Index = new MiniSearch<CataloguedNote>({
    idField: 'path',
    fields: ['title', 'hypothesis', 'claim', 'metric', 'repository', 'tagWords'],
    extractField: (note, field) => {
      if (field === 'tagWords')
        return note.tags.filter((tag) => !/^(?:experiment$|outcome\/|verdict\/)/.test(tag)).join(' ');
      return String(note[field as keyof CataloguedNote]);
    },
    tokenize: searchWords,
    processTerm: (word) => word,
    searchOptions: {
      boost: { title: 3, metric: 2, hypothesis: 1.5 },
      prefix: (word) => word.length > 3,
      combineWith: 'OR',
    },
  });
  index.addAll([...entries.values()].map(({ note }) => note));
  return index;
}

function search(
  index: Index,
  entries: ReadonlyMap<string, Entry>,
  question: string,
  limit: number,
): FoundNote[] {
  return index
    .search(question)
    .slice(0, limit)
    .flatMap(({ id, score, queryTerms }) => {
      const entry = entries.get(String(id));
      return entry === undefined ? [] : [{ note: entry.note, score, words: queryTerms }];
    });
}

/** Brings entries and index up to what is on disk; returns how many notes had changed. */
async function refresh(folder: string, entries: Map<string, Entry>, index: Index): Promise<number> {
  const paths = await listNotes(folder);
  let changed = 0;
  for (const path of entries.keys()) {
    if (paths.has(path)) continue;
    index.discard(path);
    entries.delete(path);
    changed += 1;
  }
  const queue = [...paths];
  const work = async (): Promise<void> => {
    for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
      const entry = await readEntry(folder, path, entries.get(path));
      if (entry === null || entry === entries.get(path)) continue;
      if (entries.has(path)) index.discard(path);
      entries.set(path, entry);
      index.add(entry.note);
      changed += 1;
    }
  };
  await Promise.all(Array.from({ length: filesAtOnce }, work));
  return changed;
}

/** The known entry where the file is as it was; null where it went away meanwhile. */
async function readEntry(folder: string, path: string, known: Entry | undefined): Promise<Entry | null> {
  const file = join(folder, path);
  const found = await unlessMissing(stat(file));
  if (found === undefined) return null;
  const mark = `${found.size} ${found.mtimeMs}`;
  if (known?.mark === mark) return known;
  const content = await unlessMissing(readFile(file, 'utf8'));
  return content === undefined ? null : { mark, note: readNote(path, content) };
}

/** Markdown files, those of hidden folders left out. */
async function listNotes(folder: string): Promise<Set<string>> {
  const found = (await unlessMissing(readdir(folder, { recursive: true, withFileTypes: true }))) ?? [];
  const paths = found
    .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((path) => !path.split('/').some((part) => part.startsWith('.')));
  return new Set(paths);
}

async function readCache(cacheFile: string, folder: string): Promise<Map<string, Entry>> {
  const text = await unlessMissing(readFile(cacheFile, 'utf8'));
  const kept = text === undefined ? null : parse(text);
  const fits = kept?.folder === folder;
  return new Map(fits ? (kept.entries as Entry[]).map((entry) => [entry.note.path, entry]) : []);
}

function parse(text: string): z.infer<typeof Kept> | null {
  try {
    return Kept.safeParse(JSON.parse(text)).data ?? null;
  } catch (error) {
    // A cache that a crash cut short is made anew.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

async function writeCache(
  cacheFile: string,
  folder: string,
  entries: ReadonlyMap<string, Entry>,
): Promise<void> {
  await writeFileAtomic(cacheFile, JSON.stringify({ format, folder, entries: [...entries.values()] }), {
    mode: 0o600,
  });
}
