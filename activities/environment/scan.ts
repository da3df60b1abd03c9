import { environmentFinding, type EnvironmentFinding } from '../../domain/environment-finding.ts';

import { checkBinaries, type BinarySummary } from './check-binaries.ts';
import { checkLink } from './check-link.ts';
import { checkText } from './check-text.ts';
import { eachOf, walkTree, type TreeEntry } from './walk-tree.ts';

export interface ScanOptions {
  /** The environment, at its final path. */
  readonly folder: string;
  /** The same folder as the job sees it. */
  readonly path: string;
  /** Folder of the image's interpreter, the one place outside that may be linked to; null for a managed one. */
  readonly interpreterPrefix: string | null;
  /** A Python with `pyelftools`. */
  readonly python: string;
  /** glibc of the job's image, for example 2.28; that of this machine when null. */
  readonly glibc: string | null;
}

export interface Scan {
  /** Sorted by path. */
  readonly findings: readonly EnvironmentFinding[];
  readonly binaries: BinarySummary;
  readonly files: number;
}

const filesAtOnce = 16;
/** What tools keep for themselves, and what no installed package reads. */
const caches = new Set([
  '.git',
  '.cache',
  '.uv-cache',
  '.mypy_cache',
  '.pytest_cache',
  '.ruff_cache',
  'CACHEDIR.TAG',
]);

/**
 * Looks at every file for what would break, or silently reach outside, once the environment runs elsewhere. Reads what
 * names paths, and the heads of binaries; everything else is known from one look at the folders.
 */
export async function scan(options: ScanOptions): Promise<Scan> {
  const entries = await walkTree(options.folder);
  const binaries = checkBinaries(entries, options);
  const findings: EnvironmentFinding[] = entries.flatMap((entry) => [...checkEntry(entry)]);
  await Promise.all([
    binaries,
    eachOf(entries, filesAtOnce, async (entry) => {
      const found = entry.stats.isSymbolicLink()
        ? await checkLink(entry, options)
        : await checkText(entry, options);
      findings.push(...found);
    }),
  ]);
  const { summary, findings: ofBinaries } = await binaries;
  return {
    findings: [...findings, ...ofBinaries].toSorted((one, other) => (one.path < other.path ? -1 : 1)),
    binaries: summary,
    files: entries.filter(({ stats }) => !stats.isDirectory()).length,
  };
}

/** What the look at the folder alone tells. */
function* checkEntry({ name, stats }: TreeEntry): Generator<EnvironmentFinding> {
  if (stats.isSymbolicLink()) return;
  if (!stats.isFile() && !stats.isDirectory()) {
    yield environmentFinding(
      'special-file',
      name,
      `${name} is neither a file, a folder nor a link: it cannot be moved.`,
    );
  }
  if (stats.isFile() && stats.nlink > 1) {
    yield environmentFinding('hard-link', name, `${name} is a hard link: an edit elsewhere would change it.`);
  }
  if ((stats.mode & 0o6000) !== 0 && stats.isFile()) {
    yield environmentFinding(
      'setuid-file',
      name,
      `${name} is setuid or setgid: it would run as somebody else.`,
    );
  }
  if ((stats.mode & 0o002) !== 0) {
    yield environmentFinding('world-writable', name, `${name} may be changed by everybody on this disk.`);
  }
  if (caches.has(name.slice(name.lastIndexOf('/') + 1))) {
    yield environmentFinding(
      'leftover-cache',
      name,
      `${name} is left over from a tool; nothing in the job reads it.`,
    );
  }
}
