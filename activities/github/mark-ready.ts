import { Failure } from '../../infra/failure.ts';
import type { GithubClient } from '../../infra/github/github-client.ts';

/**
 * Lets people see that the gate has passed. A credential that may not do it is no failure: the pull request stays a draft
 * then, and whoever merges is told to press the button.
 */
export async function markReady(github: GithubClient, repository: string, number: number): Promise<void> {
  try {
    await github.markReady(repository, number);
  } catch (error) {
    const refused = error instanceof Failure && /^Github(?:Forbidden|NotFound|Invalid)$/.test(error.type);
    if (!refused) throw error;
  }
}
