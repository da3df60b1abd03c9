import { posix } from 'node:path';

import { Failure } from '../../infra/failure.ts';
import { git, type GitCall } from '../../infra/git/run-git.ts';
import { findSecrets } from './find-secrets.ts';
import type { ChangeInspection } from './interface.ts';

export interface ChangeRules {
  /** Globs of the task note's change.paths. */
  readonly paths: readonly string[];
  /** Where the task note lies, which belongs to every change. */
  readonly taskNotePath: string;
  /** Values that must not be in the change. */
  readonly secrets: readonly string[];
}

interface ChangedFile {
  readonly path: string;
  readonly mode: string;
  readonly blob: string;
  readonly deleted: boolean;
}

const maxFileBytes = 5 * 1024 * 1024;

/**
 * Checks one commit against its parent and returns the paths that it changes. Reads nothing but git's objects, so that
 * what was checked is what is pushed. Throws `ChangeEmpty`, `ChangeOutsidePaths` and `ChangeUnsafe`, naming the paths.
 */
export async function checkChange(
  parent: string,
  commit: string,
  rules: ChangeRules,
  call: GitCall,
): Promise<readonly string[]> {
  const files = await changedFiles(parent, commit, call);
  const own = files.filter(({ path }) => path !== rules.taskNotePath);
  if (own.length === 0) {
    throw new Failure(
      'ChangeEmpty',
      'the coding agent changed no file; say in the task note what must change, and where',
    );
  }
  const outside = own.filter(({ path }) => !isAllowed(path, rules.paths)).map(({ path }) => path);
  if (outside.length > 0) {
    throw new Failure(
      'ChangeOutsidePaths',
      `the change touches ${list(outside)}, the task note allows ${list(rules.paths)}; widen change.paths if that is meant`,
    );
  }
  const looks = [
    kindProblems(files, call),
    sizeProblems(files, call),
    addedText(parent, commit, files, call).then((added) => secretProblems(added, rules.secrets)),
  ];
  const problems = (await Promise.all(looks)).flat();
  if (problems.length > 0)
    throw new Failure('ChangeUnsafe', `the change was refused: ${problems.join('; ')}`);
  return files.map(({ path }) => path);
}

/** Names beginning with a dot are matched only where the glob says the dot. */
export function isAllowed(path: string, globs: readonly string[]): boolean {
  return globs.some((glob) => glob === path || posix.matchesGlob(path, glob));
}

async function changedFiles(parent: string, commit: string, call: GitCall): Promise<ChangedFile[]> {
  const raw = await git(
    ['diff-tree', '-r', '-z', '--raw', '--no-renames', '--no-abbrev', parent, commit],
    call,
  );
  const fields = raw.split('\0');
  const files: ChangedFile[] = [];
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const [, mode = '', , blob = '', status = ''] = (fields[index] ?? '').split(' ');
    files.push({ path: fields[index + 1] ?? '', mode, blob, deleted: status === 'D' });
  }
  return files;
}

async function kindProblems(files: readonly ChangedFile[], call: GitCall): Promise<string[]> {
  const problems: string[] = [];
  for (const { path, mode, blob } of files) {
    if (mode === '160000') problems.push(`${path} is a repository of its own (submodule)`);
    if (path.split('/').includes('.gitmodules')) problems.push(`${path} declares submodules`);
    if (mode !== '120000') continue;
    const target = await git(['cat-file', 'blob', blob], call);
    if (leadsOut(path, target)) problems.push(`${path} is a link that leads out of the repository`);
  }
  return problems;
}

function leadsOut(path: string, target: string): boolean {
  const resolved = posix.normalize(posix.join(posix.dirname(path), target));
  return target.startsWith('/') || resolved === '..' || resolved.startsWith('../');
}

async function sizeProblems(files: readonly ChangedFile[], call: GitCall): Promise<string[]> {
  const sizes = await fileSizes(files, call);
  return sizes
    .filter(({ bytes }) => bytes > maxFileBytes)
    .map(({ path, bytes }) => `${path} has ${bytes} bytes, at most ${maxFileBytes} are allowed`);
}

interface FileSize {
  readonly path: string;
  readonly bytes: number;
}

async function fileSizes(files: readonly ChangedFile[], call: GitCall): Promise<FileSize[]> {
  const blobs = files.filter(({ deleted, mode }) => !deleted && mode !== '160000');
  const input = blobs.map(({ blob }) => `${blob}\n`).join('');
  const sizes = await git(['cat-file', '--batch-check=%(objectsize)'], { ...call, input });
  const lines = sizes.split('\n');
  return blobs.map(({ path }, index) => ({ path, bytes: Number(lines[index]) }));
}

interface AddedText {
  readonly path: string;
  readonly lines: readonly string[];
}

/** What a change adds, by file. The patch tells of the files in the order of `files`, and names may not be readable in it. */
async function addedText(
  parent: string,
  commit: string,
  files: readonly ChangedFile[],
  call: GitCall,
): Promise<AddedText[]> {
  const plain = ['--no-color', '--no-ext-diff', '--no-textconv', '--no-renames', '--text', '--unified=0'];
  const patch = await git(['diff-tree', '-r', '-p', ...plain, parent, commit], call);
  const [, ...parts] = `\n${patch}`.split('\ndiff --git ');
  return parts.map((part, index) => {
    const hunks = part.slice(part.indexOf('\n@@') + 1);
    const lines = hunks.split('\n').filter((line) => line.startsWith('+'));
    return { path: files[index]?.path ?? '', lines: lines.map((line) => line.slice(1)) };
  });
}

async function secretProblems(added: readonly AddedText[], known: readonly string[]): Promise<string[]> {
  const problems: string[] = [];
  for (const { path, lines } of added) {
    for (const kind of await findSecrets(path, lines.join('\n'), known)) {
      problems.push(`${path} holds ${kind}`);
    }
  }
  return problems;
}

/** What a checked change is made of, from the base to its head, for the lines of the gate. */
export async function inspectChange(
  base: string,
  commit: string,
  taskNotePath: string,
  call: GitCall,
): Promise<ChangeInspection> {
  const files = await changedFiles(base, commit, call);
  const [sizes, added] = await Promise.all([fileSizes(files, call), addedText(base, commit, files, call)]);
  return {
    paths: files.map(({ path }) => path),
    addedLines: added.reduce((sum, { lines }) => sum + lines.length, 0),
    largest: sizes.toSorted((a, b) => b.bytes - a.bytes)[0] ?? null,
    maxFileBytes,
    taskNoteBlob: files.find(({ path, deleted }) => path === taskNotePath && !deleted)?.blob ?? null,
  };
}

function list(items: readonly string[]): string {
  const shown = items.slice(0, 20).join(', ');
  return items.length > 20 ? `${shown} and ${items.length - 20} more` : shown;
}
