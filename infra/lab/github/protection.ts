import type { Lab } from './lab.ts';
import { accessOf } from './router.ts';
import { gitOrNull } from './git.ts';
import type { LabProtection, LabPull, LabRepository } from './state.ts';

export function protectionOf({ protection }: LabRepository, branch: string): LabProtection | null {
  return protection?.[branch] ?? null;
}

/** Why a protected branch does not take this pull request, in GitHub's words; null when it does. */
export async function protectedWords(
  lab: Lab,
  repository: LabRepository,
  pull: LabPull,
): Promise<string | null> {
  const rules = protectionOf(repository, pull.baseRef);
  if (rules === null) return null;
  if (rules.mergeQueue) {
    return 'Repository rule violations found\n\nChanges must be made through the merge queue\n\n';
  }
  const missing = blockedWords(lab, repository, pull);
  if (missing !== null) return missing;
  return rules.strict && (await isBehind(lab, repository, pull))
    ? 'This branch is out-of-date with the base branch. Merge the latest changes from the base branch.'
    : null;
}

/** What of reviews and checks is missing, without a look at the branches. */
export function blockedWords(lab: Lab, repository: LabRepository, pull: LabPull): string | null {
  const rules = protectionOf(repository, pull.baseRef);
  if (rules === null) return null;
  const latest = latestReviews(lab, repository, pull);
  if (latest.includes('CHANGES_REQUESTED')) return 'Changes have been requested.';
  const approvals = latest.filter((state) => state === 'APPROVED').length;
  if (approvals < rules.requiredReviews) {
    const what =
      rules.requiredReviews === 1
        ? '1 approving review is'
        : `${rules.requiredReviews} approving reviews are`;
    return `At least ${what} required by reviewers with write access.`;
  }
  const states = rules.requiredChecks.map((name) => ({
    name,
    state: checkState(repository, pull.headSha, name),
  }));
  const [first, ...others] = states.filter(({ state }) => state !== 'success');
  const how = {
    expected: 'is expected',
    pending: 'is pending',
    failure: 'is failing',
    success: 'has passed',
  };
  if (first === undefined) return null;
  if (others.length > 0)
    return `${others.length + 1} of ${states.length} required status checks have not succeeded.`;
  return `Required status check "${first.name}" ${how[first.state]}.`;
}

async function isBehind(
  lab: Lab,
  repository: LabRepository,
  { baseRef, headSha }: LabPull,
): Promise<boolean> {
  const args = ['merge-base', '--is-ancestor', `refs/heads/${baseRef}`, headSha];
  return (await gitOrNull(lab.folder(repository), args)) === null;
}

/** The last word of each person who may write and has said yes or no. */
function latestReviews(lab: Lab, repository: LabRepository, pull: LabPull): string[] {
  const words = pull.reviews.filter(({ author, state }) => {
    const access = accessOf(repository, lab.user(author));
    return state !== 'COMMENTED' && (access === 'write' || access === 'admin');
  });
  return [...new Map(words.map(({ author, state }) => [author, state])).values()];
}

type CheckState = 'success' | 'pending' | 'failure' | 'expected';

/** A status or a check run of this name; the newest of each counts, and the worse of the two. */
function checkState({ statuses, checkRuns }: LabRepository, headSha: string, name: string): CheckState {
  const status = statuses.findLast(({ sha, context }) => sha === headSha && context === name);
  const run = checkRuns.findLast((one) => one.sha === headSha && one.name === name);
  const states: CheckState[] = [];
  if (status !== undefined) states.push(status.state === 'error' ? 'failure' : status.state);
  if (run !== undefined) {
    const passed = ['success', 'neutral', 'skipped'].includes(run.conclusion ?? '');
    states.push(run.status === 'completed' ? (passed ? 'success' : 'failure') : 'pending');
  }
  return (['failure', 'pending', 'success'] as const).find((state) => states.includes(state)) ?? 'expected';
}
