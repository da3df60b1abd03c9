import { git, gitOrNull } from './git.ts';
import type { Lab } from './lab.ts';
import type { LabPull, LabRepository } from './state.ts';

const fileStates: Readonly<Record<string, string>> = { A: 'added', D: 'removed', M: 'modified' };

/** The files that a pull request changes, as GitHub lists them. */
export async function filesOf(
  lab: Lab,
  repository: LabRepository,
  { baseRef, headSha }: LabPull,
): Promise<object[]> {
  const folder = lab.folder(repository);
  const at = `${repository.owner}/${repository.name}`;
  const range = `${baseRef}...${headSha}`;
  const [states, numbers] = await Promise.all([
    git(folder, ['diff', '--no-renames', '--name-status', '-z', range]),
    git(folder, ['diff', '--no-renames', '--numstat', '-z', range]),
  ]);
  const fields = states.split('\0');
  const counts = new Map(
    numbers.split('\0').flatMap((line) => {
      const [added, deleted, path] = line.split('\t');
      return path === undefined
        ? []
        : [[path, { additions: Number(added) || 0, deletions: Number(deleted) || 0 }] as const];
    }),
  );
  const files: object[] = [];
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const filename = fields[index + 1] ?? '';
    const patch = await gitOrNull(folder, ['diff', '--no-renames', range, '--', filename]);
    const hunks = patch?.slice(patch.indexOf('\n@@') + 1) ?? '';
    const { additions = 0, deletions = 0 } = counts.get(filename) ?? {};
    const path = filename.split('/').map(encodeURIComponent).join('/');
    files.push({
      sha: await gitOrNull(folder, ['rev-parse', '--verify', '--quiet', `${headSha}:${filename}`]),
      filename,
      status: fileStates[fields[index] ?? ''] ?? 'changed',
      additions,
      deletions,
      changes: additions + deletions,
      blob_url: `${lab.url}/${at}/blob/${headSha}/${path}`,
      raw_url: `${lab.url}/${at}/blob/${headSha}/${path}?raw=true`,
      contents_url: `${lab.url}/repos/${at}/contents/${path}?ref=${headSha}`,
      patch: hunks,
    });
  }
  return files;
}

/** How much a pull request changes. */
export async function measurePull(lab: Lab, repository: LabRepository, pull: LabPull): Promise<void> {
  const folder = lab.folder(repository);
  const numbers = await git(folder, [
    'diff',
    '--no-renames',
    '--numstat',
    '-z',
    `${pull.baseRef}...${pull.headSha}`,
  ]);
  const commits = await git(folder, ['rev-list', '--count', `${pull.baseRef}..${pull.headSha}`]);
  const lines = numbers.split('\0').filter((line) => line !== '');
  const sum = (column: number): number =>
    lines.reduce((total, line) => total + (Number(line.split('\t')[column]) || 0), 0);
  pull.size = { commits: Number(commits), additions: sum(0), deletions: sum(1), changed_files: lines.length };
}
