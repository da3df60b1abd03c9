import { setTimeout as delay } from 'node:timers/promises';

import { openExperiments } from '../../../client/experiments.ts';
import type { ExperimentStatus } from '../../../domain/experiment.ts';
import type { Phase } from '../../../domain/phase.ts';
import type { DemoWorld } from './demo-world.ts';
import type { Narrator } from './narrator.ts';

/** How often the experiment is asked how it is, ms. */
const askEvery = 250;
/** A demo that takes this long by itself has gone wrong, ms. */
const patience = 10 * 60_000;

const sentences: Readonly<Record<Phase, string>> = {
  planning: 'Gemini CLI turns the idea into a task note',
  implementing: 'Qwen Code changes the training code in a git worktree',
  freezing: 'uv freezes the environment on the shared disk; it is proven, and the command rehearsed in it',
  proposing: 'the branch is pushed and the pull request opened',
  reviewing: 'Copilot reviews, the gate looks at exactly this head',
  submitting: 'one training job for each seed is created, once',
  queued: 'the jobs wait in the queue of the cluster',
  training: 'the jobs train, without network',
  syncing: 'wandb sync brings the offline runs to W&B, read back from there',
  reporting: 'curves and verdict come back into the pull request',
  deciding: 'it waits for the word of the PI',
  merging: 'the squash merge of exactly the head that was shown',
  recording: 'the permanent note is written',
};

export interface FollowOptions {
  readonly id: string;
  readonly narrator: Narrator;
  readonly until: 'deciding' | 'end';
  readonly onPhase: (phase: string) => void;
  /** How long it may take, ms. */
  readonly patienceMs?: number;
}

/** Tells every phase as it is entered, until the experiment waits for the PI (`deciding`) or has ended. */
export async function followExperiment(
  world: DemoWorld,
  { id, narrator, until, onPhase, patienceMs = patience }: FollowOptions,
): Promise<ExperimentStatus> {
  const experiments = openExperiments(world.temporal);
  const limit = Date.now() + patienceMs;
  let told = 0;
  let shownPullRequest = false;
  let shownLive = false;
  try {
    for (;;) {
      const { status, execution } = await experiments.see(id);
      if (status !== null) {
        onPhase(status.phase);
        if (until === 'end' && told === 0)
          told = status.phases.findIndex(({ phase }) => phase === 'deciding') + 1;
        for (const { phase } of status.phases.slice(told))
          narrator.say(`${phase.padEnd(13)} ${sentences[phase]}`);
        told = status.phases.length;
        if (!shownPullRequest && until === 'deciding' && status.pullRequest !== null) {
          shownPullRequest = true;
          narrator.link('pull request', status.pullRequest.url);
        }
        if (!shownLive && until === 'deciding' && status.live !== null) {
          shownLive = true;
          narrator.say(
            `live          ${status.live.rows} rows so far: the comment shows the curves as they grow`,
          );
        }
        if (status.phase === 'deciding' && until === 'deciding') return status;
        if (execution === 'completed' && until === 'end') return status;
        if (execution !== 'running')
          throw new Error(`the experiment ended ${status.phase}: ${status.failure?.message ?? execution}`);
      }
      if (Date.now() > limit)
        throw new Error(
          `the experiment is still ${status?.phase ?? 'unanswered'} after ${patienceMs / 60_000} minutes`,
        );
      await delay(askEvery);
    }
  } finally {
    await experiments.close();
  }
}
