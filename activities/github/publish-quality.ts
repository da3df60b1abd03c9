import { qualityContext } from '../../domain/ids.ts';
import type { GithubClient } from '../../infra/github/github-client.ts';
import type { QualityInput } from './interface.ts';

/** GitHub refuses longer ones. */
const longestDescription = 140;

/** Publishes the gate's verdict as a commit status; what is said already is not said again. */
export async function publishQuality(github: GithubClient, input: QualityInput): Promise<void> {
  const { repository, headSha, state, targetUrl } = input;
  const description = shorten(input.description.replaceAll(/\s+/g, ' ').trim());
  const wanted = { state, context: qualityContext, description, targetUrl };
  const statuses = await github.listStatuses(repository, headSha);
  const said = statuses.find(({ context }) => context === qualityContext);
  if (
    said !== undefined &&
    said.state === state &&
    said.description === description &&
    said.targetUrl === targetUrl
  ) {
    return;
  }
  await github.createStatus(repository, headSha, wanted);
}

function shorten(text: string): string {
  if (text.length <= longestDescription) return text;
  return `${text.slice(0, longestDescription - 1)}…`.toWellFormed();
}
