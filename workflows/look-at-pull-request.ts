import { pullRequestWarnings } from '../domain/pull-request-warnings.ts';
import { pullRequest as pullRequestActivities } from './activities.ts';
import { branchOf, repositoryOf, type Experiment } from './experiment-state.ts';
import { tried } from './failures.ts';
import { implementationOf, pullRequestOf } from './plan-and-code.ts';
import { taskNotePathOf } from './task-note-path-of.ts';

/**
 * Looks whether the pull request still stands as its evidence says, so that a push during the training is told with the
 * evidence and not first by the refusal of a merge. GitHub being away is no reason not to show the evidence.
 */
export async function lookAtPullRequest(experiment: Experiment): Promise<void> {
  await tried('a look at the pull request', async () => {
    const { headSha, inspection } = implementationOf(experiment);
    const taskNotePath = taskNotePathOf(experiment);
    const { snapshot } = await pullRequestActivities.awaitPullRequestChange.executeWithOptions(
      { summary: 'looks whether the pull request is as it was tried', scheduleToCloseTimeout: '10 minutes' },
      [
        {
          repository: repositoryOf(experiment),
          number: pullRequestOf(experiment).number,
          taskNotePath,
          since: null,
          pollSeconds: experiment.input.policy.githubPollSeconds,
        },
      ],
    );
    experiment.warnings = pullRequestWarnings(snapshot, {
      headSha: experiment.evidence?.headSha ?? headSha,
      branch: branchOf(experiment),
      taskNotePath,
      taskNoteBlob: inspection?.taskNoteBlob ?? null,
    });
  });
}
