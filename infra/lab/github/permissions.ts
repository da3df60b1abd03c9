import type { LabToken } from './state.ts';

export type Level = 'read' | 'write';

/** Name and level of a permission, as GitHub writes them in `X-Accepted-GitHub-Permissions`. */
export interface Need {
  readonly name: string;
  readonly level: Level;
}

/** By the beginning of the path below `/repos/{owner}/{repo}`: the first that fits. Any one of several is enough. */
const table: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^\/pulls\/[^/]+\/merge$/, ['contents']],
  [/^\/pulls/, ['pull_requests']],
  [/^\/issues/, ['issues', 'pull_requests']],
  [/^\/labels/, ['issues', 'pull_requests']],
  [/^\/statuses/, ['statuses']],
  [/^\/commits\/[^/]+\/(?:statuses|status)$/, ['statuses']],
  [/^\/commits\/[^/]+\/check-runs$/, ['checks']],
  [/^\/check-runs/, ['checks']],
  [/^\/hooks/, ['repository_hooks']],
  [/^\/(?:branches|readme|contents|commits|git|forks)/, ['contents']],
];

/** What a request needs of a token; the metadata, which every token may read, where nothing else is named. */
export function needsOf(method: string, path: string): readonly Need[] {
  const level = method === 'GET' ? 'read' : 'write';
  const found = table.find(([pattern]) => pattern.test(path));
  if (found === undefined) return [{ name: 'metadata', level }];
  return found[1].map((name) => ({ name, level }));
}

/** Whether a token holds one of the permissions. A classic token holds what its scopes give: everything, with `repo`. */
export function holds({ kind, permissions, scopes }: LabToken, needs: readonly Need[]): boolean {
  if (kind === undefined || kind === 'classic') return scopes === undefined || scopes.includes('repo');
  if (permissions === undefined) return true;
  return needs.some(({ name, level }) => {
    const held = name === 'metadata' ? 'read' : permissions[name];
    return held === 'write' || held === level;
  });
}

/** Whether a token may write files below `.github/workflows/`. */
export function mayWriteWorkflows({ kind, permissions, scopes }: LabToken): boolean {
  if (kind === undefined || kind === 'classic') return scopes === undefined || scopes.includes('workflow');
  return permissions === undefined || permissions['workflows'] === 'write';
}

export function refusedWords({ kind }: LabToken): string {
  return `Resource not accessible by ${kind === 'installation' ? 'integration' : 'personal access token'}`;
}

export function needHeader(needs: readonly Need[]): string {
  return needs.map(({ name, level }) => `${name}=${level}`).join('; ');
}
