import { qualityContext } from '../../domain/ids.ts';
import { createHash } from 'node:crypto';

import type { Check, PullRequestSnapshot, Review, ReviewThread } from '../../domain/pull-request.ts';
import { Failure } from '../../infra/failure.ts';
import type { CommitStatus, GithubClient, PullRequest } from '../../infra/github/github-client.ts';
import type { AwaitPullRequestInput, SeenPullRequest } from './interface.ts';

const looks = 3;

type Look = Pick<AwaitPullRequestInput, 'repository' | 'number' | 'taskNotePath' | 'since'>;

/** The pull request, its reviews, threads and checks, all of one head; `since` is the fingerprint that was seen last. */
export async function observePullRequest(
  github: GithubClient,
  logins: ReadonlySet<string>,
  { repository, number, taskNotePath, since }: Look,
): Promise<SeenPullRequest> {
  let pullRequest = await github.getPullRequest(repository, number);
  for (let look = 1; ; look += 1) {
    const snapshot = await readSnapshot(github, logins, { repository, taskNotePath }, pullRequest);
    const fingerprint = fingerprintOf(snapshot);
    // As it was: nothing was read half before and half after a change.
    if (fingerprint === since) return { snapshot, fingerprint };
    const after = await github.getPullRequest(repository, number);
    if (after.headSha === pullRequest.headSha && after.state === pullRequest.state) {
      return { snapshot, fingerprint };
    }
    if (look === looks) {
      const what = `${repository}#${number} changed while it was being read, ${looks} times in a row`;
      throw new Failure('GithubUnavailable', `${what}; it will be looked at again`);
    }
    pullRequest = after;
  }
}

async function readSnapshot(
  github: GithubClient,
  logins: ReadonlySet<string>,
  { repository, taskNotePath }: Pick<Look, 'repository' | 'taskNotePath'>,
  pullRequest: PullRequest,
): Promise<PullRequestSnapshot> {
  const { number, url, state, draft, base, headSha, mergeCommitSha, requestedReviewers } = pullRequest;
  const [reviews, threads, runs, statuses, rules, taskNoteBlob] = await Promise.all([
    github.listReviews(repository, number),
    github.listOpenThreads(repository, number),
    readCheckRuns(github, repository, headSha),
    github.listStatuses(repository, headSha),
    github.branchRules(repository, base),
    github.fileBlob(repository, headSha, taskNotePath),
  ]);
  const heard = await whoIsHeard(github, repository, [...reviews, ...threads]);
  return {
    number,
    url,
    state,
    draft,
    headSha,
    mergeCommitSha,
    reviews: reviews
      .filter(({ author }) => heard.has(author))
      .toSorted((a, b) => a.id - b.id)
      .map(({ author, isBot, commitId, state: said, body }): Review => ({
        author,
        isBot,
        isCopilot: isBot && logins.has(author),
        commitId,
        state: said,
        body,
      })),
    threads: threads
      .filter(({ author }) => heard.has(author))
      .toSorted((a, b) => compare(a.id, b.id))
      .map(({ isBot, ...thread }): ReviewThread => ({
        ...thread,
        isCopilot: isBot && logins.has(thread.author),
      })),
    checks: mergeChecks(runs, statuses),
    copilotRequested: requestedReviewers.some((login) => logins.has(login)),
    // What Hephaestus itself publishes cannot be waited for before it is published.
    required: rules.checks.filter((name) => name !== qualityContext),
    taskNoteBlob,
  };
}

interface Speaker {
  readonly author: string;
  readonly isBot: boolean;
}

/**
 * On a public repository anybody may review, and findings steer the coding agent: only people with write access are
 * heard, and bots, which somebody with that right has installed.
 */
async function whoIsHeard(
  github: GithubClient,
  repository: string,
  speakers: readonly Speaker[],
): Promise<ReadonlySet<string>> {
  const bots = speakers.filter(({ isBot }) => isBot).map(({ author }) => author);
  const heard = new Set(bots);
  for (const author of new Set(speakers.filter(({ isBot }) => !isBot).map((one) => one.author))) {
    if (await github.mayWrite(repository, author)) heard.add(author);
  }
  return heard;
}

/** Some tokens may read commit statuses and no check runs: that is shown as a check that never ends, not hidden. */
async function readCheckRuns(
  github: GithubClient,
  repository: string,
  sha: string,
): Promise<readonly Check[]> {
  try {
    return await github.listCheckRuns(repository, sha);
  } catch (error) {
    if (!(error instanceof Failure) || error.type !== 'GithubForbidden') throw error;
    return [{ name: 'check runs (this token may not read them)', state: 'pending', url: null }];
  }
}

const gravity = { success: 0, pending: 1, failure: 2 } as const;

/** One line for each name, the gravest of what is said under it. */
function mergeChecks(runs: readonly Check[], statuses: readonly CommitStatus[]): Check[] {
  const told = statuses.map(({ context, state, targetUrl }): Check => ({
    name: context,
    state: state === 'error' ? 'failure' : state,
    url: targetUrl === '' ? null : targetUrl,
  }));
  const byName = new Map<string, Check>();
  for (const check of [...runs, ...told]) {
    if (check.name === qualityContext) continue;
    const before = byName.get(check.name);
    if (before === undefined || gravity[check.state] > gravity[before.state]) byName.set(check.name, check);
  }
  return [...byName.values()].toSorted((a, b) => compare(a.name, b.name));
}

/** The same snapshot always has the same fingerprint: lists are sorted and keys come in one order. */
function fingerprintOf(snapshot: PullRequestSnapshot): string {
  return createHash('sha256').update(JSON.stringify(snapshot)).digest('hex');
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
