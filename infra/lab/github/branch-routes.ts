import { commitShape } from './commit-shapes.ts';
import { commitOf } from './git.ts';
import type { Lab } from './lab.ts';
import { protectionOf } from './protection.ts';
import { notFound, Refusal } from './refusal.ts';
import { type Call, page, type Route } from './router.ts';
import type { LabProtection } from './state.ts';

/** Branches and what they ask of whoever merges. */
export function addBranchRoutes(route: Route, lab: Lab): void {
  // GitHub shows the whole protection to administrators alone.
  route('GET', '/branches/:branch/protection', 'admin', async ({ repository, params }) => {
    const rules = protectionOf(repository, params['branch'] ?? '');
    if (rules === null) throw new Refusal(404, 'Branch not protected');
    const url = `${lab.url}/repos/${repository.owner}/${repository.name}/branches/${params['branch']}/protection`;
    return {
      url,
      required_status_checks: checksShape(rules, url),
      required_pull_request_reviews: {
        url: `${url}/required_pull_request_reviews`,
        dismiss_stale_reviews: false,
        require_code_owner_reviews: false,
        required_approving_review_count: rules.requiredReviews,
      },
      enforce_admins: { url: `${url}/enforce_admins`, enabled: true },
    };
  });

  route('GET', '/rules/branches/*', 'read', async (call) => {
    const rules = protectionOf(call.repository, call.params['*'] ?? '');
    return page(call, rules === null ? [] : rulesOf(call, rules), lab);
  });

  route('GET', '/branches/*', 'read', async ({ repository, params }) => {
    const name = params['*'] ?? '';
    const sha = await commitOf(lab.folder(repository), `refs/heads/${name}`);
    if (sha === null) throw notFound();
    const at = `${lab.url}/repos/${repository.owner}/${repository.name}`;
    const rules = protectionOf(repository, name);
    return {
      name,
      commit: await commitShape(lab, repository, sha),
      _links: {
        self: `${at}/branches/${name}`,
        html: `${lab.url}/${repository.owner}/${repository.name}/tree/${name}`,
      },
      protected: rules !== null,
      protection: {
        enabled: rules !== null,
        ...(rules !== null && {
          required_status_checks: { enforcement_level: 'everyone', ...contextsOf(rules) },
        }),
      },
      protection_url: `${at}/branches/${name}/protection`,
    };
  });
}

function contextsOf({ requiredChecks }: LabProtection): object {
  return { contexts: requiredChecks, checks: requiredChecks.map((context) => ({ context, app_id: null })) };
}

function checksShape(rules: LabProtection, url: string): object {
  const at = `${url}/required_status_checks`;
  return { url: at, strict: rules.strict, ...contextsOf(rules), contexts_url: `${at}/contexts` };
}

/** The same as rulesets say it, and the merge queue, which only they know. */
function rulesOf({ repository }: Call, rules: LabProtection): object[] {
  const source = {
    ruleset_source_type: 'Repository',
    ruleset_source: `${repository.owner}/${repository.name}`,
    ruleset_id: repository.id,
  };
  const { requiredReviews, requiredChecks, strict, mergeQueue } = rules;
  return [
    ...(requiredReviews > 0
      ? [{ type: 'pull_request', ...source, parameters: reviewRule(requiredReviews) }]
      : []),
    ...(requiredChecks.length > 0
      ? [
          {
            type: 'required_status_checks',
            ...source,
            parameters: {
              strict_required_status_checks_policy: strict,
              required_status_checks: requiredChecks.map((context) => ({ context })),
            },
          },
        ]
      : []),
    ...(mergeQueue ? [{ type: 'merge_queue', ...source, parameters: queueRule }] : []),
  ];
}

function reviewRule(count: number): object {
  return {
    dismiss_stale_reviews_on_push: false,
    require_code_owner_review: false,
    require_last_push_approval: false,
    required_approving_review_count: count,
    required_review_thread_resolution: false,
  };
}

const queueRule = {
  check_response_timeout_minutes: 60,
  grouping_strategy: 'ALLGREEN',
  max_entries_to_build: 5,
  max_entries_to_merge: 5,
  merge_method: 'SQUASH',
  min_entries_to_merge: 1,
  min_entries_to_merge_wait_minutes: 5,
};
