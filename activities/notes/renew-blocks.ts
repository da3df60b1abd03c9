import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import writeFileAtomic from 'write-file-atomic';

import { unlessMissing } from '../../infra/unless-missing.ts';
import type { CatalogueReader } from './catalogue.ts';
import type { CataloguedNote } from './catalogued-note.ts';
import { block, replaceBlock } from './generated-block.ts';
import { indexPath, renderIndex } from './index-page.ts';
import { noteLink } from './note-link.ts';

/**
 * Writes the generated parts of the vault anew: the index, and the backlinks of the notes that `paths` link to and of
 * `paths` themselves. Done again with the same notes it changes nothing. Returns the files that hold such parts, also those
 * that did not change: a try that died may have written them and not committed.
 */
export async function renewBlocks(
  folder: string,
  reader: CatalogueReader,
  paths: readonly string[],
): Promise<string[]> {
  const { notes } = await reader.read(folder);
  await rewrite(folder, indexPath, (text) => renderIndex(text ?? null, notes));
  const linked = notes.filter(({ path }) => paths.includes(path)).flatMap(({ links }) => links);
  const kept: string[] = [indexPath];
  for (const path of new Set([...paths, ...linked])) {
    const holds = await rewrite(folder, path, (text) =>
      text === undefined ? null : withBacklinks(text, path, notes),
    );
    if (holds) kept.push(path);
  }
  return kept;
}

function withBacklinks(text: string, path: string, notes: readonly CataloguedNote[]): string | null {
  const from = notes.filter((note) => note.path !== path && note.links.includes(path)).toSorted(byPath);
  const lines = from.map((note) => `- ${noteLink(note, path)}: links here`);
  const content = lines.length === 0 ? '' : `Linked from:\n\n${lines.join('\n')}`;
  const replaced = replaceBlock(text, 'backlinks', content);
  if (replaced !== null || lines.length === 0) return replaced;
  return `${text.trimEnd()}\n\n${block('backlinks', content)}\n`;
}

/** False when there is nothing to write into it. */
async function rewrite(
  folder: string,
  path: string,
  change: (text: string | undefined) => string | null,
): Promise<boolean> {
  const file = join(folder, path);
  const before = await unlessMissing(readFile(file, 'utf8'));
  const after = change(before);
  if (after === null) return false;
  if (after === before) return true;
  await mkdir(dirname(file), { recursive: true });
  await writeFileAtomic(file, after);
  return true;
}

function byPath(a: CataloguedNote, b: CataloguedNote): number {
  return a.path < b.path ? -1 : 1;
}
