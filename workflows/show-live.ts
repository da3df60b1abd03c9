import { condition } from '@temporalio/workflow';

import { live } from './activities.ts';
import { liveRowsOf, type Attempt, type Experiment } from './experiment-state.ts';
import { tried } from './failures.ts';
import { noteOf } from './plan-and-code.ts';
import { comment } from './report.ts';

const shortestPauseSeconds = 300;
/** The longer a job has been training, the less often its comment is renewed: months must not fill a history. */
const partOfElapsed = 0.5;

/** Renews the comment with the curves so far while jobs train: at most each five minutes, and only when there are new rows. */
export async function showLive(experiment: Experiment, attempt: Attempt): Promise<void> {
  await condition(() => attempt.jobs.some(({ state }) => state === 'running'));
  const begun = Date.now();
  await tried('showing the curves while jobs train', async () => {
    for (;;) {
      const elapsedSeconds = (Date.now() - begun) / 1000;
      experiment.live = await live.awaitLiveResults.executeWithOptions({ summary: 'curves so far' }, [
        {
          ...whatToRead(experiment, attempt),
          since: liveRowsOf(experiment),
          pauseSeconds: Math.max(shortestPauseSeconds, elapsedSeconds * partOfElapsed),
        },
      ]);
      await comment(experiment);
    }
  });
}

function whatToRead(experiment: Experiment, { jobs }: Attempt) {
  const { wandb, metric, baseline } = noteOf(experiment);
  return { runs: jobs.map(({ seed, runId }) => ({ seed, runId })), wandb, metric, baseline };
}
