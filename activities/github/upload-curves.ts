import { createHash } from 'node:crypto';

import type { Results } from '../../domain/evidence.ts';
import type { TaskNote } from '../../domain/task-note.ts';
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

/** Two pictures, for light and dark pages, each named by its content: a repeat finds it and adds nothing. */
export async function uploadCurves(
  github: GithubClient,
  draw: DrawCurves,
  { repository, experimentId, title, metric, results }: CurvesInput,
): Promise<Picture> {
  const put = async (theme: 'light' | 'dark'): Promise<string> => {
    const bytes = await draw(results, { title, metric, theme });
    const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 32);
    const path = `${experimentId}/${digest}.png`;
    const message = `Curves of ${experimentId}, for ${theme} pages`;
    const { commitSha } = await github.putAsset(repository, { branch: assetsBranch, path, bytes, message });
    return `${github.serverUrl}/${repository}/blob/${commitSha}/${path}?raw=true`;
  };
  // One after the other: both are commits on one branch.
  const url = await put('light');
  const darkUrl = await put('dark');
  const alt = `Curves of ${metric.name} over the steps: ${describe(results)}`;
  return { url, darkUrl, alt, lines: curveLines(results) };
}

function describe({ runs, baseline }: Results): string {
  const own = `${runs.length} run${runs.length === 1 ? '' : 's'}`;
  return baseline === null ? own : `${own} against ${baseline.name}`;
}
