import type { Dirent } from 'node:fs';
import { lstat, open, readdir, readFile, readlink, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { unlessMissing } from '../../infra/unless-missing.ts';

export interface ScanOptions {
  /** The environment, at its final path. */
  readonly folder: string;
  /** The same folder as the job sees it. */
  readonly path: string;
  /** Folder of the image's interpreter, the one place outside that may be linked to; null for a managed one. */
  readonly interpreterPrefix: string | null;
}

export interface Scan {
  /** Sentences: what was found where, and what it would do to the job. Empty when the environment is portable. */
  readonly findings: readonly string[];
  readonly files: number;
  readonly bytes: number;
}

interface Tree extends ScanOptions {
  readonly findings: string[];
  files: number;
  bytes: number;
}

/** Interpreters of scripts that every POSIX machine has. */
const systemShebang = /^#!\s*(?:\/bin\/sh|\/usr\/bin\/env)\b/;

/** Looks at every file for what would break, or silently reach outside, once the environment runs elsewhere. */
export async function scan(options: ScanOptions): Promise<Scan> {
  const tree: Tree = { ...options, findings: [], files: 0, bytes: 0 };
  await scanFolder(tree, options.folder);
  await scanConfiguration(tree, join(options.folder, 'venv', 'pyvenv.cfg'));
  const { findings, files, bytes } = tree;
  return { findings: findings.toSorted(), files, bytes };
}

async function scanFolder(tree: Tree, directory: string): Promise<void> {
  // Not readdir's own recursion, which follows lib64 to lib and meets everything twice.
  const entries = await readdir(directory, { withFileTypes: true });
  await Promise.all(
    entries.filter((entry) => !entry.isDirectory()).map((entry) => scanEntry(tree, directory, entry)),
  );
  for (const entry of entries) {
    if (entry.isDirectory()) await scanFolder(tree, join(directory, entry.name));
  }
}

async function scanEntry(tree: Tree, directory: string, entry: Dirent): Promise<void> {
  const path = join(directory, entry.name);
  const name = relative(tree.folder, path);
  if (entry.isSymbolicLink()) return scanLink(tree, path, name);
  const { nlink, mode, size } = await lstat(path);
  tree.files += 1;
  tree.bytes += size;
  if (!entry.isFile())
    tree.findings.push(`${name} is neither a file, a folder nor a link: it cannot be moved.`);
  if (nlink > 1) {
    tree.findings.push(
      `${name} is a hard link: an edit elsewhere would change it. Build with UV_LINK_MODE=copy.`,
    );
  }
  if ((mode & 0o6000) !== 0) tree.findings.push(`${name} is setuid or setgid: no package needs that.`);
  if (entry.name.endsWith('.pth')) await scanPth(tree, path, name);
  if (entry.name === 'direct_url.json') await scanDirectUrl(tree, path, name);
  if (basename(directory) === 'bin' && (mode & 0o111) !== 0) await scanShebang(tree, path, name);
}

async function scanLink(tree: Tree, path: string, name: string): Promise<void> {
  const target = await readlink(path);
  const real = await unlessMissing(realpath(path));
  if (real === undefined) {
    tree.findings.push(`${name} links to ${target}, which does not exist.`);
    return;
  }
  if (isInside(real, await realpath(tree.folder))) {
    if (isAbsolute(target))
      tree.findings.push(
        `${name} is an absolute link (${target}): it breaks where the disk has another path.`,
      );
    return;
  }
  if (tree.interpreterPrefix !== null && isInside(real, await realpath(tree.interpreterPrefix))) return;
  tree.findings.push(`${name} links out of the environment, to ${target}: it is not there for the job.`);
}

async function scanPth(tree: Tree, path: string, name: string): Promise<void> {
  for (const line of (await readFile(path, 'utf8')).split('\n')) {
    const entry = line.trim();
    if (entry === '' || entry.startsWith('#')) continue;
    if (/^import[ \t]/.test(entry)) {
      if (entry.includes('__editable__'))
        tree.findings.push(`${name} belongs to an editable install: its code stands elsewhere.`);
    } else if (!isInside(resolve(dirname(path), entry), tree.folder)) {
      tree.findings.push(`${name} adds ${entry} to the search path, which is outside the environment.`);
    }
  }
}

async function scanDirectUrl(tree: Tree, path: string, name: string): Promise<void> {
  if (/"editable"\s*:\s*true/.test(await readFile(path, 'utf8'))) {
    tree.findings.push(`${name} says that the package is an editable install: its code stands elsewhere.`);
  }
}

async function scanShebang(tree: Tree, path: string, name: string): Promise<void> {
  const line = await firstLine(path);
  if (!line.startsWith('#!') || systemShebang.test(line)) return;
  const interpreter = line.slice(2).trim();
  const allowed = [tree.path, tree.interpreterPrefix].filter((folder) => folder !== null);
  if (allowed.some((folder) => isInside(interpreter, folder))) return;
  tree.findings.push(`${name} starts with ${line.slice(0, 200)}, an interpreter outside the environment.`);
}

async function scanConfiguration(tree: Tree, file: string): Promise<void> {
  const home = /^home\s*=\s*(.*)$/m.exec(await readFile(file, 'utf8'))?.[1]?.trim();
  if (home === undefined) return;
  if (tree.interpreterPrefix !== null && isInside(home, tree.interpreterPrefix)) return;
  tree.findings.push(`venv/pyvenv.cfg has home = ${home}, which is not the interpreter's folder.`);
}

async function firstLine(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(512), 0, 512, 0);
    return buffer.toString('latin1', 0, bytesRead).split('\n')[0] ?? '';
  } finally {
    await file.close();
  }
}

function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder + sep);
}
