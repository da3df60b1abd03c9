import { qualityContext } from '../../domain/ids.ts';
import type { GithubClient } from '../../infra/github/github-client.ts';
import type { QualityInput } from './interface.ts';
import { qualitySummary } from './quality-summary.ts';

/** GitHub refuses longer ones. */
const longestDescription = 140;

const conclusions = { pending: null, success: 'success', failure: 'failure' } as const;

/**
 * Publishes the gate's verdict: as a check run with all its lines where the credential is a GitHub App's, else as a commit
 * status; what is said already is not said again.
 */
export async function publishQuality(github: GithubClient, input: QualityInput): Promise<void> {
  const { repository, headSha, state, targetUrl } = input;
  const words = input.description.replaceAll(/\s+/g, ' ').trim();
  const asCheck = await github.publishCheckRun(repository, headSha, {
    name: qualityContext,
    conclusion: conclusions[state],
    detailsUrl: targetUrl,
    title: shorten(words),
    summary: qualitySummary(input),
  });
  if (!asCheck) await publishStatus(github, input, shorten(words));
}

async function publishStatus(
  github: GithubClient,
  { repository, headSha, state, targetUrl }: QualityInput,
  description: string,
): Promise<void> {
  const statuses = await github.listStatuses(repository, headSha);
  const said = statuses.find(({ context }) => context === qualityContext);
  const same = said?.state === state && said.description === description && said.targetUrl === targetUrl;
  if (same) return;
  await github.createStatus(repository, headSha, { state, context: qualityContext, description, targetUrl });
}

function shorten(text: string): string {
  if (text.length <= longestDescription) return text;
  return `${text.slice(0, longestDescription - 1)}…`.toWellFormed();
}
