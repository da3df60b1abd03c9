import type { Octokit } from '@octokit/rest';
import { z } from 'zod';

import type { Check } from '../../domain/pull-request.ts';
import { CheckRun, readAnswer, StatusAnswer } from './answers.ts';
import type { GithubClient } from './github-client.ts';
import { repositoryName } from './repository-name.ts';

type CheckCalls = Pick<GithubClient, 'listCheckRuns' | 'listStatuses' | 'createStatus'>;

const passing = new Set(['success', 'neutral', 'skipped']);

/** Check runs and commit statuses: two things on GitHub, neither of which tells of the other. */
export function checkCalls(octokit: Octokit): CheckCalls {
  return {
    async listCheckRuns(repository, sha) {
      const data = await octokit.paginate(octokit.rest.checks.listForRef, {
        ...repositoryName(repository),
        ref: sha,
        filter: 'latest',
        per_page: 100,
      });
      return readAnswer(z.array(CheckRun), data, `check runs of ${sha}`).map((run) => ({
        name: run.name,
        state: stateOf(run),
        url: run.html_url,
      }));
    },

    async listStatuses(repository, sha) {
      const data = await octokit.paginate(octokit.rest.repos.listCommitStatusesForRef, {
        ...repositoryName(repository),
        ref: sha,
        per_page: 100,
      });
      const newest = new Map<string, z.infer<typeof StatusAnswer>>();
      for (const status of readAnswer(z.array(StatusAnswer), data, `statuses of ${sha}`)) {
        // The newest of a context comes first.
        if (!newest.has(status.context)) newest.set(status.context, status);
      }
      return [...newest.values()].map(({ state, context, description, target_url }) => ({
        state,
        context,
        description: description ?? '',
        targetUrl: target_url ?? '',
      }));
    },

    async createStatus(repository, sha, { state, context, description, targetUrl }) {
      await octokit.rest.repos.createCommitStatus({
        ...repositoryName(repository),
        sha,
        state,
        context,
        description,
        ...(targetUrl !== '' && { target_url: targetUrl }),
      });
    },
  };
}

function stateOf({ status, conclusion }: z.infer<typeof CheckRun>): Check['state'] {
  if (status !== 'completed') return 'pending';
  return passing.has(conclusion ?? '') ? 'success' : 'failure';
}
