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
    files.push({
      filename,
      status: fileStates[fields[index] ?? ''] ?? 'changed',
      ...counts.get(filename),
      patch: hunks,
    });
  }
  return files;
}
