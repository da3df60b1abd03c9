import { condition } from '@temporalio/workflow';

import type { PullRequestRef } from '../activities/github/interface.ts';
import { coding, github } from './activities.ts';
import { enterPhase, type Experiment } from './experiment-state.ts';
import { isFailure, namedFailure, tried } from './failures.ts';
import { implementationOf, noteOf, openByQwen } from './plan-and-code.ts';
import { comment } from './report.ts';

/** The branch is pushed and the pull request opened as a draft, or found again. */
export async function propose(experiment: Experiment): Promise<void> {
  const { id } = experiment.input;
  const note = noteOf(experiment);
  const { headSha, summary } = implementationOf(experiment);
  enterPhase(experiment, 'proposing', 'the pull request');
  await push(experiment);
  const before = experiment.pullRequest;
  if (experiment.input.policy.pullRequestBy === 'qwen' && before === null) {
    await tried('opening the pull request by Qwen Code', () => openByQwen(experiment));
  }
  // Finds what was opened by its branch, and opens it where nothing was.
  experiment.pullRequest = await github.openPullRequest.executeWithOptions(
    { summary: 'opens the pull request' },
    [
      {
        experimentId: id,
        note,
        body: experiment.body,
        headSha,
        summary,
        environmentDigest: experiment.environment?.digest ?? '',
      },
    ],
  );
  if (before === null) experiment.notices.push(...noticesOf(experiment.pullRequest));
}

function noticesOf({ draft, labelled }: PullRequestRef): string[] {
  return [
    ...(draft === false ? ['The pull request is no draft, because the repository allows none.'] : []),
    ...(labelled === false
      ? ['The pull request has no labels, because the credential may not set them.']
      : []),
  ];
}

const pushAgainAfter = '10 minutes';

/**
 * Before there is a pull request a refused push ends the experiment: nothing is lost. Later somebody else's commits stand
 * on the branch, or a right was taken away: a person is told, and the push is tried again after a nudge or a while.
 */
async function push(experiment: Experiment): Promise<void> {
  const { repository } = noteOf(experiment);
  const { headSha } = implementationOf(experiment);
  for (;;) {
    const { nudges } = experiment;
    try {
      await coding.pushBranch.executeWithOptions({ summary: `pushes ${headSha.slice(0, 12)}` }, [
        { experimentId: experiment.input.id, repository, headSha },
      ]);
      experiment.pushRefused = null;
      return;
    } catch (error) {
      if (experiment.pullRequest === null || !isFailure(error, 'PushRefused')) throw error;
      experiment.pushRefused = namedFailure(error).message;
      const why = `a person, because the branch cannot be pushed: ${experiment.pushRefused}`;
      enterPhase(experiment, 'proposing', why);
    }
    await comment(experiment);
    await condition(() => experiment.nudges !== nudges, pushAgainAfter);
  }
}
