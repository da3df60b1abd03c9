import { lstat, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { Failure } from '../../infra/failure.ts';
import { unlessMissing } from '../../infra/unless-missing.ts';

/** What uv leaves behind for itself. */
const leftovers = [
  'venv/.lock',
  'venv/CACHEDIR.TAG',
  'venv/.gitignore',
  'python/.lock',
  'python/.temp',
  'python/.gitignore',
];

/** Minor versions of Python 3 that start without `home` at another path than that of their build: each was tried. */
const movable = { from: 10, to: 14 };

const largestScriptBytes = 1024 * 1024;

/**
 * Makes an environment that was built at `folder` one that belongs at `path`: scripts, the activate scripts and a
 * managed interpreter's own settings name the new place, links become relative, and a managed interpreter is found
 * without an absolute `home`. Building elsewhere and moving is what lets a half-built environment never stand at the
 * final path, even while an orphaned uv still writes.
 *
 * Throws `EnvironmentNotPortable` for an interpreter of its own in a version of which this is not known.
 */
export async function relocate(folder: string, path: string): Promise<void> {
  for (const name of leftovers) await rm(join(folder, name), { recursive: true, force: true });
  const bin = join(folder, 'venv', 'bin');
  await rewriteFiles(bin, () => true, folder, path);
  await makeLinksRelative(bin, folder);
  await rewriteConfiguration(join(folder, 'venv', 'pyvenv.cfg'), folder, path);
  const python = join(folder, 'python');
  if ((await unlessMissing(lstat(python))) === undefined) return;
  await refuseUnknown(join(folder, 'venv', 'pyvenv.cfg'));
  await makeLinksRelative(python, folder);
  for (const home of await folders(python)) await relocatePython(home, folder, path);
}

async function refuseUnknown(configuration: string): Promise<void> {
  const version = /^version(?:_info)?\s*=\s*(\S+)/m.exec(await readFile(configuration, 'utf8'))?.[1] ?? '';
  const [major, minor] = version.split('.').map(Number);
  if (major === 3 && minor !== undefined && minor >= movable.from && minor <= movable.to) return;
  throw new Failure(
    'EnvironmentNotPortable',
    `Python ${version === '' ? '(unknown version)' : version} cannot be brought along: expected 3.${movable.from} to 3.${movable.to}, of which it is known that they start at any path. Change "python" in the task note, or name the image's interpreter.`,
  );
}

async function relocatePython(home: string, folder: string, path: string): Promise<void> {
  await rewriteFiles(join(home, 'bin'), (name) => name.endsWith('-config'), folder, path);
  const library = join(home, 'lib');
  await rewriteFiles(join(library, 'pkgconfig'), (name) => name.endsWith('.pc'), folder, path);
  for (const version of await folders(library)) {
    await rewriteFiles(version, (name) => name.startsWith('_sysconfigdata'), folder, path);
    const settings = (await folders(version)).filter((name) => /\/config-[^/]+$/.test(name));
    for (const config of settings) await rewriteFiles(config, (name) => name === 'Makefile', folder, path);
  }
}

/** A relative link to the interpreter and no `home` is what starts at any path, for every Python from 3.10 on. */
async function rewriteConfiguration(file: string, folder: string, path: string): Promise<void> {
  const lines = (await readFile(file, 'utf8')).split('\n');
  const kept = lines.filter((line) => !(/^home\s*=/.test(line) && line.includes(`${folder}/`)));
  await writeFile(file, kept.join('\n').replaceAll(folder, path));
}

async function rewriteFiles(
  directory: string,
  chosen: (name: string) => boolean,
  from: string,
  to: string,
): Promise<void> {
  for (const entry of await entriesOf(directory)) {
    const file = join(directory, entry.name);
    if (!entry.isFile() || !chosen(entry.name) || (await lstat(file)).size > largestScriptBytes) continue;
    const content = await readFile(file);
    if (!content.includes(from)) continue;
    // latin1 keeps every byte as it is, in whatever encoding the file is.
    const text = content.toString('latin1').replaceAll(latin1(from), () => latin1(to));
    await writeFile(file, Buffer.from(text, 'latin1'));
  }
}

async function makeLinksRelative(directory: string, folder: string): Promise<void> {
  for (const entry of await entriesOf(directory)) {
    if (!entry.isSymbolicLink()) continue;
    const link = join(directory, entry.name);
    const target = await readlink(link);
    if (!target.startsWith(`${folder}/`)) continue;
    await rm(link);
    await symlink(relative(dirname(link), target), link);
  }
}

async function folders(directory: string): Promise<string[]> {
  const entries = await entriesOf(directory);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(directory, entry.name));
}

async function entriesOf(directory: string) {
  return readdir(directory, { withFileTypes: true }).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  });
}

function latin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
