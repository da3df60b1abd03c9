import { activityInfo } from '@temporalio/activity';

import type { LiveResults } from '../../domain/evidence.ts';
import { Failure } from '../../infra/failure.ts';
import type { LiveResultsInput } from './interface.ts';
import { readLiveResults } from './read-live-results.ts';
import type { WandbDeps } from './wandb-deps.ts';

/** Often at first, when everybody waits for the first rows; then as often as rows may come. */
const firstLookMs = 2500;
const longestLookMs = 15_000;

/** What is new since the last time, once it is time; until then it fails benignly with the time of its next look. */
export async function awaitLiveResults(deps: WandbDeps, input: LiveResultsInput): Promise<LiveResults> {
  const { since, pauseSeconds } = input;
  const leftMs = since === null ? 0 : Date.parse(since.asOf) + pauseSeconds * 1000 - Date.now();
  if (leftMs > 0) throw unchanged('it is too early for the next look', leftMs);
  const live = await readLiveResults(deps, input);
  const rows = rowsOf(live);
  if (rows > (since?.rows ?? 0)) return live;
  throw unchanged(
    `${rows} rows are at W&B, as many as were shown last`,
    Math.min(longestLookMs, firstLookMs * activityInfo().attempt),
  );
}

function rowsOf({ runs }: LiveResults): number {
  return runs.reduce((sum, run) => sum + run.rows, 0);
}

function unchanged(why: string, retryAfterMs: number): Failure {
  return new Failure('LiveUnchanged', why, { retryAfterMs });
}
