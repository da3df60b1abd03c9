import { createHash } from 'node:crypto';

import type { Results } from '../../domain/evidence.ts';
import type { TaskNote } from '../../domain/task-note.ts';
import { Failure } from '../../infra/failure.ts';
import type { GithubClient } from '../../infra/github/github-client.ts';
import { curveLines } from './curve-lines.ts';
import type { CurvesInput, Picture } from './interface.ts';

/** Draws the curves as a PNG, for a light or a dark page. */
export type DrawCurves = (
  results: Results,
  options: {
    readonly title: string;
    readonly metric: TaskNote['metric'];
    readonly theme: 'light' | 'dark';
  },
) => Promise<Uint8Array>;

/** Has no history in common with the code, so that pictures never reach it. */
const assetsBranch = 'hephaestus-assets';

/** What GitHub answers to a credential, or in a repository, that takes no file. */
const cannot = new Set<string>(['GithubForbidden', 'GithubNotFound', 'GithubInvalid']);

/**
 * Two pictures, for light and dark pages, where only those see them who may see the repository: as attachments where the
 * credential can upload them, else on a branch of their own, each named by its content, so that a repeat finds it and adds
 * nothing. Where neither can be done the address is null, and the curves stand as lines of text alone.
 */
export async function uploadCurves(
  github: GithubClient,
  draw: DrawCurves,
  { repository, experimentId, title, metric, results }: CurvesInput,
): Promise<Picture> {
  const put = async (theme: 'light' | 'dark'): Promise<string | null> =>
    store(github, repository, experimentId, theme, await draw(results, { title, metric, theme }));
  // One after the other: both may be commits on one branch.
  const url = await put('light');
  const darkUrl = url === null ? null : await put('dark');
  const alt = `Curves of ${metric.name} over the steps: ${describe(results)}`;
  return { url, ...(darkUrl !== null && { darkUrl }), alt, lines: curveLines(results) };
}

async function store(
  ...[github, repository, experimentId, theme, bytes]: [GithubClient, string, string, string, Uint8Array]
): Promise<string | null> {
  const name = `${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}.png`;
  const attached = await github.uploadAttachment(repository, { name, contentType: 'image/png', bytes });
  if (attached !== null) return attached;
  const path = `${experimentId}/${name}`;
  const message = `Curves of ${experimentId}, for ${theme} pages`;
  try {
    const { commitSha } = await github.putAsset(repository, { branch: assetsBranch, path, bytes, message });
    return `${github.serverUrl}/${repository}/blob/${commitSha}/${path}?raw=true`;
  } catch (error) {
    if (!(error instanceof Failure) || !cannot.has(error.type)) throw error;
    return null;
  }
}

function describe({ runs, baseline }: Results): string {
  const own = `${runs.length} run${runs.length === 1 ? '' : 's'}`;
  return baseline === null ? own : `${own} against ${baseline.name}`;
}
