import { listenInterval } from '../../domain/listen-interval.ts';
import { Failure } from '../../infra/failure.ts';
import type { GithubClient } from '../../infra/github/github-client.ts';
import { guardActivities } from '../boundary.ts';
import { copilotLogins } from './copilot.ts';
import { describeRepository } from './describe-repository.ts';
import type { GithubActivities } from './interface.ts';
import { markReady } from './mark-ready.ts';
import { mergePullRequest } from './merge-pull-request.ts';
import { observePullRequest } from './observe-pull-request.ts';
import { openPullRequest } from './open-pull-request.ts';
import { publishQuality } from './publish-quality.ts';
import { requestReview } from './request-review.ts';
import { updateComment } from './update-comment.ts';
import { type DrawCurves, uploadCurves } from './upload-curves.ts';

export interface GithubDeps {
  readonly github: GithubClient;
  readonly draw: DrawCurves;
  /** Who counts as Copilot; `copilotLogins` when it is not given. */
  readonly copilot?: readonly string[];
}

/** What is done on GitHub, in the control zone. Each may run twice or die half way: a repeat finds what was done. */
export function createGithubActivities({
  github,
  draw,
  copilot = copilotLogins,
}: GithubDeps): GithubActivities {
  const logins = new Set(copilot);
  return guardActivities<GithubActivities>({
    describeRepository: (input) => describeRepository(github, input),
    openPullRequest: (input) => openPullRequest(github, input),
    markReady: ({ repository, number }) => markReady(github, repository, number),
    requestReview: (input) => requestReview(github, logins, input),

    async awaitPullRequestChange(input) {
      const { repository, number, since, pollSeconds, quietSince } = input;
      const seen = await observePullRequest(github, logins, input);
      if (seen.fingerprint !== since) return seen;
      throw new Failure('GateUnchanged', `${repository}#${number} is as it was`, {
        retryAfterMs: listenInterval({
          quietMs: quietSince === undefined ? 0 : Date.now() - quietSince,
          baseMs: pollSeconds * 1000,
          random: Math.random(),
        }),
      });
    },

    publishQuality: (input) => publishQuality(github, input),
    uploadCurves: (input) => uploadCurves(github, draw, input),
    updateComment: (input) => updateComment(github, input),
    mergePullRequest: (input) => mergePullRequest(github, input),

    async closePullRequest({ repository, number }) {
      const { state } = await github.getPullRequest(repository, number);
      if (state === 'open') await github.closePullRequest(repository, number);
    },
  });
}
