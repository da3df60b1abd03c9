import { open, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { environmentFinding, type EnvironmentFinding } from '../../domain/environment-finding.ts';

import { isInside } from './is-inside.ts';
import type { ScanOptions } from './scan.ts';
import type { TreeEntry } from './walk-tree.ts';

type Findings = readonly EnvironmentFinding[];

/** Interpreters of scripts that an image for training has. */
const systemShebang = /^#!\s*(?:(?:\/usr)?\/bin\/(?:sh|bash|env))(?:\s|$)/;

/** The files that hold paths: each by its name, because reading all of them would take far longer than the build. */
export async function checkText(entry: TreeEntry, options: ScanOptions): Promise<Findings> {
  const { name, stats } = entry;
  if (!stats.isFile()) return [];
  if (name === 'venv/pyvenv.cfg') return checkConfiguration(entry, options);
  if (name === 'venv/bin/activate') return checkActivate(entry, options);
  if (name.endsWith('.pth')) return checkPathFile(entry, options);
  if (name.endsWith('.dist-info/direct_url.json')) return checkDirectUrl(entry);
  // Scripts elsewhere are data of a package: nothing else of the environment is on the job's path.
  if (/^venv\/bin\/[^/]+$/.test(name) && (stats.mode & 0o111) !== 0) return checkShebang(entry, options);
  return [];
}

async function checkConfiguration({ path, name }: TreeEntry, options: ScanOptions): Promise<Findings> {
  const home = /^home\s*=\s*(.*)$/m.exec(await readFile(path, 'utf8'))?.[1]?.trim();
  // A managed interpreter is found by its relative link alone.
  if (home === undefined) return [];
  if (options.interpreterPrefix !== null && isInside(home, options.interpreterPrefix)) return [];
  const sentence = `${name} has home = ${home}, which is not the interpreter's folder: Python takes its library from there, or does not start.`;
  return [environmentFinding('foreign-home', name, sentence)];
}

async function checkActivate({ path, name }: TreeEntry, options: ScanOptions): Promise<Findings> {
  const wanted = join(options.path, 'venv');
  const assigned = /^\s*VIRTUAL_ENV=(?:'([^'\n]*)'|"([^"\n]*)"|(\S*))/m.exec(await readFile(path, 'utf8'));
  const value = assigned?.[1] ?? assigned?.[2] ?? assigned?.[3];
  if (value === wanted) return [];
  const sentence = `${name} enters ${value ?? 'no environment'}; the job has it at ${wanted} and would run another Python.`;
  return [environmentFinding('foreign-activate', name, sentence)];
}

async function checkPathFile({ path, name }: TreeEntry, options: ScanOptions): Promise<Findings> {
  const findings: EnvironmentFinding[] = [];
  for (const line of (await readFile(path, 'utf8')).split('\n')) {
    const entry = line.trim();
    if (entry === '' || entry.startsWith('#')) continue;
    if (/^import[ \t]/.test(entry)) {
      if (entry.includes('__editable__')) findings.push(editable(name, 'belongs to'));
    } else if (!isInside(resolve(dirname(path), entry), options.folder)) {
      const sentence = `${name} adds ${entry} to the search path, which is outside the environment.`;
      findings.push(environmentFinding('foreign-path-file', name, sentence));
    }
  }
  return findings;
}

async function checkDirectUrl({ path, name }: TreeEntry): Promise<Findings> {
  return /"editable"\s*:\s*true/.test(await readFile(path, 'utf8')) ? [editable(name, 'tells of')] : [];
}

function editable(name: string, how: string): EnvironmentFinding {
  return environmentFinding(
    'editable-install',
    name,
    `${name} ${how} an editable install: its code stands elsewhere and is not there for the job.`,
  );
}

async function checkShebang({ path, name }: TreeEntry, options: ScanOptions): Promise<Findings> {
  const line = await firstLine(path);
  if (!line.startsWith('#!') || systemShebang.test(line)) return [];
  const interpreter = line.slice(2).trim();
  const allowed = [options.path, options.interpreterPrefix].filter((folder) => folder !== null);
  if (allowed.some((folder) => isInside(interpreter, folder))) return [];
  const sentence = `${name} starts with ${line.slice(0, 200)}, an interpreter outside the environment.`;
  return [environmentFinding('foreign-shebang', name, sentence)];
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
