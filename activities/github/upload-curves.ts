import { createHash } from 'node:crypto';

import type { Results } from '../../domain/evidence.ts';
import type { TaskNote } from '../../domain/task-note.ts';
import type { GithubClient } from '../../infra/github/github-client.ts';
import type { CurvesInput, Picture } from './interface.ts';

/** Draws the curves as a PNG. */
export type DrawCurves = (
  results: Results,
  options: { readonly title: string; readonly metric: TaskNote['metric'] },
) => Promise<Uint8Array>;

/** Has no history in common with the code, so that pictures never reach it. */
const assetsBranch = 'hephaestus-assets';

/** The picture is named by its content: a repeat finds it and adds nothing. */
export async function uploadCurves(
  github: GithubClient,
  draw: DrawCurves,
  { repository, experimentId, title, metric, results }: CurvesInput,
): Promise<Picture> {
  const bytes = await draw(results, { title, metric });
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 32);
  const path = `${experimentId}/${digest}.png`;
  const message = `Curves of ${experimentId}`;
  const { commitSha } = await github.putAsset(repository, { branch: assetsBranch, path, bytes, message });
  return {
    url: `${github.serverUrl}/${repository}/blob/${commitSha}/${path}?raw=true`,
    alt: `Curves of ${metric.name} over the steps: ${describe(results)}`,
  };
}

function describe({ runs, baseline }: Results): string {
  const own = `${runs.length} run${runs.length === 1 ? '' : 's'}`;
  return baseline === null ? own : `${own} against ${baseline.name}`;
}
