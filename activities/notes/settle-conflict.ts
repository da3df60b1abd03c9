import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import writeFileAtomic from 'write-file-atomic';

import { askGit, type GitCall } from '../../infra/git/run-git.ts';
import { withoutBlocks } from './generated-block.ts';

/**
 * Settles a rebase that stopped, where both sides changed nothing but generated blocks in the same place: these are
 * emptied, for they are written anew anyway, and the words of people are merged as git would. Returns the settled files;
 * null when a person's words contradict each other, which only a person can settle. The rebase is over when it returns
 * files, and stands where it was otherwise.
 */
export async function settleConflict(call: GitCall): Promise<string[] | null> {
  const settled = new Set<string>();
  // One round for each commit that is put on top.
  for (let round = 0; round < 1000; round += 1) {
    const files = (await out(['diff', '--name-only', '--diff-filter=U', '-z'], call)).split('\0');
    const open = files.filter((file) => file !== '');
    for (const file of open) {
      if (!(await mergeWords(file, call))) return null;
      await askGit(['add', '--', file], call);
      settled.add(file);
    }
    const answer = await askGit(['-c', 'core.editor=true', 'rebase', '--continue'], call);
    if (answer.exitCode === 0) return [...settled];
    // A commit that held nothing but generated parts may be empty by now.
    const left = await out(['diff', '--name-only', '--diff-filter=U'], call);
    if (left === '' && open.length === 0) {
      const skipped = await askGit(['rebase', '--skip'], call);
      if (skipped.exitCode === 0) return [...settled];
      if ((await out(['diff', '--name-only', '--diff-filter=U'], call)) === '') return null;
    }
  }
  return null;
}

/** The three versions without their blocks, merged into the file; false where they do not fit or one has no such file. */
async function mergeWords(file: string, call: GitCall): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'hephaestus-merge-'));
  try {
    for (const [stage, name] of [
      [1, 'base'],
      [2, 'ours'],
      [3, 'theirs'],
    ] as const) {
      const version = await askGit(['cat-file', 'blob', `:${stage}:${file}`], call);
      // Both may have made the page: then there is no common version.
      if (version.exitCode !== 0 && stage !== 1) return false;
      await writeFile(join(folder, name), withoutBlocks(version.exitCode === 0 ? version.stdout : ''));
    }
    const [ours, base, theirs] = ['ours', 'base', 'theirs'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    const same = await askGit(['diff', '--no-index', '--quiet', ours, theirs], call);
    const merged = same.exitCode === 0 ? null : await askGit(['merge-file', '-p', ours, base, theirs], call);
    if (merged !== null && merged.exitCode !== 0) return false;
    const words =
      merged?.stdout ?? withoutBlocks((await askGit(['cat-file', 'blob', `:2:${file}`], call)).stdout);
    await writeFileAtomic(join(call.cwd, file), words);
    return true;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function out(args: readonly string[], call: GitCall): Promise<string> {
  return (await askGit(args, call)).stdout.replace(/\n$/, '');
}
