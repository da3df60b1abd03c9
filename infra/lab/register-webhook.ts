import { Octokit } from '@octokit/rest';

import type { Lab } from './start-lab.ts';

/** Has the lab's GitHub send what happens in the example's repository to `url`, as its owner would set it up. */
export async function registerWebhook({ github, settings }: Lab, url: string): Promise<void> {
  const { GITHUB_API_URL = '', GITHUB_WEBHOOK_SECRET = '' } = settings;
  // Hooks are an owner's business: the token of Hephaestus may not.
  const octokit = new Octokit({ baseUrl: GITHUB_API_URL, auth: github.tokens['pi'] });
  await octokit.rest.repos.createWebhook({
    owner: 'lab',
    repo: 'digits',
    events: ['pull_request', 'pull_request_review', 'issue_comment', 'status'],
    config: { url, content_type: 'json', secret: GITHUB_WEBHOOK_SECRET },
  });
}
