import type { Octokit } from '@octokit/rest';
import { z } from 'zod';

import { Failure } from '../failure.ts';
import { readAnswer } from './answers.ts';
import { repositoryName } from './repository-name.ts';

/** What a branch asks of whoever merges into it, by its protection and by the rules of repository and organization. */
export interface BranchRules {
  /** Names of checks and statuses. */
  readonly checks: readonly string[];
  /** Approving reviews. */
  readonly approvals: number;
  readonly threadsResolved: boolean;
  /** Merges go through a queue alone. */
  readonly mergeQueue: boolean;
}

/** One check run, found again by its name on its commit. */
export interface OwnCheckRun {
  readonly name: string;
  /** null while it is under way. */
  readonly conclusion: 'success' | 'failure' | 'neutral' | null;
  readonly detailsUrl: string;
  readonly title: string;
  /** Markdown. */
  readonly summary: string;
}

/** What the quality gate needs of GitHub. */
export interface GateCalls {
  /** Only what this credential may see; a server that knows no rules has none. */
  branchRules(repository: string, branch: string): Promise<BranchRules>;
  /** git's id of a file of a commit; null when it is not there. */
  fileBlob(repository: string, ref: string, path: string): Promise<string | null>;
  /** Makes the check run, or renews it. False where the credential may not: only a GitHub App may. */
  publishCheckRun(repository: string, sha: string, run: OwnCheckRun): Promise<boolean>;
}

const Contexts = z.object({
  contexts: z.array(z.string()).default([]),
  checks: z.array(z.object({ context: z.string() })).default([]),
});
const BranchAnswer = z.object({
  protected: z.boolean().default(false),
  protection: z.object({ required_status_checks: Contexts.nullish() }).nullish(),
});
const Protection = z.object({
  required_status_checks: Contexts.nullish(),
  required_pull_request_reviews: z
    .object({ required_approving_review_count: z.number().default(0) })
    .nullish(),
  required_conversation_resolution: z.object({ enabled: z.boolean() }).nullish(),
});
const Rule = z.object({
  type: z.string(),
  parameters: z
    .object({
      required_status_checks: z.array(z.object({ context: z.string() })).nullish(),
      required_approving_review_count: z.number().nullish(),
      required_review_thread_resolution: z.boolean().nullish(),
    })
    .nullish(),
});
const File = z.object({ sha: z.string() });
const Runs = z.array(z.object({ id: z.number(), name: z.string() }));

export function gateCalls(octokit: Octokit): GateCalls {
  /** Repositories whose check runs this credential may not write: it is not asked again for each status. */
  const refused = new Set<string>();
  return {
    async branchRules(repository, branch) {
      const where = { ...repositoryName(repository), branch };
      const what = `rules of ${branch} of ${repository}`;
      const [told, rules] = await Promise.all([
        allowed(octokit.rest.repos.getBranch(where)),
        allowed(octokit.rest.repos.getBranchRules({ ...where, per_page: 100 })),
      ]);
      const seen = told && readAnswer(BranchAnswer, told.data, what);
      const protection =
        seen?.protected === true ? await allowed(octokit.rest.repos.getBranchProtection(where)) : null;
      return joinRules(
        seen,
        protection && readAnswer(Protection, protection.data, what),
        rules === null ? [] : readAnswer(z.array(Rule), rules.data, what),
      );
    },

    async fileBlob(repository, ref, path) {
      const answer = await allowed(
        octokit.rest.repos.getContent({ ...repositoryName(repository), ref, path }),
      );
      if (answer === null) return null;
      return File.safeParse(answer.data).data?.sha ?? null;
    },

    async publishCheckRun(repository, sha, run) {
      if (refused.has(repository)) return false;
      try {
        await writeCheckRun(octokit, repository, sha, run);
        return true;
      } catch (error) {
        if (!(error instanceof Failure) || !mayNot.has(error.type)) throw error;
        refused.add(repository);
        return false;
      }
    },
  };
}

const mayNot = new Set<string>(['GithubForbidden', 'GithubNotFound']);

/** null for what is not there or not for this credential: GitHub shows protections to administrators alone. */
async function allowed<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Failure && mayNot.has(error.type)) return null;
    throw error;
  }
}

function joinRules(
  branch: z.infer<typeof BranchAnswer> | null,
  protection: z.infer<typeof Protection> | null,
  rules: readonly z.infer<typeof Rule>[],
): BranchRules {
  const all = [branch?.protection?.required_status_checks, protection?.required_status_checks];
  const named = all.flatMap((one) => [
    ...(one?.contexts ?? []),
    ...(one?.checks ?? []).map(({ context }) => context),
  ]);
  const ruled = rules.flatMap(({ parameters }) => parameters?.required_status_checks ?? []);
  const approvals = rules.map(({ parameters }) => parameters?.required_approving_review_count ?? 0);
  return {
    checks: [...new Set([...named, ...ruled.map(({ context }) => context)])].toSorted(),
    approvals: Math.max(
      protection?.required_pull_request_reviews?.required_approving_review_count ?? 0,
      ...approvals,
    ),
    threadsResolved:
      (protection?.required_conversation_resolution?.enabled ?? false) ||
      rules.some(({ parameters }) => parameters?.required_review_thread_resolution === true),
    mergeQueue: rules.some(({ type }) => type === 'merge_queue'),
  };
}

async function writeCheckRun(
  octokit: Octokit,
  repository: string,
  sha: string,
  { name, conclusion, detailsUrl, title, summary }: OwnCheckRun,
): Promise<void> {
  const where = repositoryName(repository);
  const { data } = await octokit.rest.checks.listForRef({
    ...where,
    ref: sha,
    check_name: name,
    filter: 'latest',
  });
  const before = readAnswer(Runs, data.check_runs, `check run ${name} of ${sha}`).find(
    (one) => one.name === name,
  );
  const state = {
    name,
    ...(conclusion === null
      ? { status: 'in_progress' as const }
      : { status: 'completed' as const, conclusion }),
    ...(detailsUrl !== '' && { details_url: detailsUrl }),
    output: { title, summary },
  };
  if (before === undefined) await octokit.rest.checks.create({ ...where, head_sha: sha, ...state });
  else await octokit.rest.checks.update({ ...where, check_run_id: before.id, ...state });
}
