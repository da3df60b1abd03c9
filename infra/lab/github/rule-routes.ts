import { protectionOf } from './protection.ts';
import type { Route } from './router.ts';
import type { LabRepository } from './state.ts';

/** What a branch asks of whoever merges into it, for everybody who may read the repository. */
export function addRuleRoutes(route: Route): void {
  route('GET', '/rules/branches/*', 'read', async ({ repository, params }) =>
    rulesOf(repository, params['*'] ?? ''),
  );
}

function rulesOf(repository: LabRepository, branch: string): object[] {
  const rules = protectionOf(repository, branch);
  if (rules === null) return [];
  const source = {
    ruleset_source_type: 'Repository',
    ruleset_source: `${repository.owner}/${repository.name}`,
    ruleset_id: repository.id,
  };
  const review = {
    required_approving_review_count: rules.requiredReviews,
    dismiss_stale_reviews_on_push: false,
    require_code_owner_review: false,
    require_last_push_approval: false,
    required_review_thread_resolution: false,
  };
  const checks = {
    strict_required_status_checks_policy: rules.strict,
    required_status_checks: rules.requiredChecks.map((context) => ({ context })),
  };
  return [
    { type: 'pull_request', parameters: review, ...source },
    ...(rules.requiredChecks.length === 0
      ? []
      : [{ type: 'required_status_checks', parameters: checks, ...source }]),
    ...(rules.mergeQueue ? [{ type: 'merge_queue', ...source }] : []),
  ];
}
