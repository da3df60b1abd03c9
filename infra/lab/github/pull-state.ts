import type { Lab } from './lab.ts';
import { invalid } from './refusal.ts';
import type { LabPull, LabRepository, LabUser } from './state.ts';

/** Closes or reopens, and tells the hooks; a merged one stays as it is. */
export function setPullState(
  ...[lab, repository, pull, state, user]: [Lab, LabRepository, LabPull, 'open' | 'closed', LabUser]
): void {
  if (pull.mergedAt !== null) {
    throw invalid({
      resource: 'PullRequest',
      field: 'state',
      code: 'invalid',
      message: 'state cannot be changed. The pull request was merged.',
    });
  }
  if (state === pull.state) return;
  pull.state = state;
  pull.updatedAt = lab.now();
  pull.closedAt = state === 'closed' ? lab.now() : null;
  lab.announcePull(repository, pull, state === 'closed' ? 'closed' : 'reopened', user);
}
