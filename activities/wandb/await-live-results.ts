import type { LiveResults } from '../../domain/evidence.ts';
import { Failure } from '../../infra/failure.ts';
import type { LiveResultsInput } from './interface.ts';
import { readLiveResults } from './read-live-results.ts';
import type { WandbDeps } from './wandb-deps.ts';

/** Rows come when W&B writes its log out, which it does each 15 s. */
const lookAgainMs = 15_000;

/** What is new since the last time, once it is time; until then it fails benignly with the time of its next look. */
export async function awaitLiveResults(deps: WandbDeps, input: LiveResultsInput): Promise<LiveResults> {
  const { since, pauseSeconds } = input;
  const leftMs = since === null ? 0 : Date.parse(since.asOf) + pauseSeconds * 1000 - Date.now();
  if (leftMs > 0) throw unchanged('it is too early for the next look', leftMs);
  const live = await readLiveResults(deps, input);
  const rows = rowsOf(live);
  if (rows > (since?.rows ?? 0)) return live;
  throw unchanged(`${rows} rows are at W&B, as many as were shown last`, lookAgainMs);
}

function rowsOf({ runs }: LiveResults): number {
  return runs.reduce((sum, run) => sum + run.rows, 0);
}

function unchanged(why: string, retryAfterMs: number): Failure {
  return new Failure('LiveUnchanged', why, { retryAfterMs });
}
