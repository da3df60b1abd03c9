import { z } from 'zod';

import { Failure } from '../../../infra/failure.ts';

interface Access {
  readonly apiUrl: string;
  readonly token: string;
}

interface Answer {
  readonly status: number;
  readonly data: unknown;
}

/** A branch moves after those of all others that are on their way: longer than the product's own requests take. */
const timeoutMs = 30_000;

/** One request to the lab's GitHub; throws `GithubUnavailable` for what the faults do to it. */
export async function ask(
  { apiUrl, token }: Access,
  method: string,
  path: string,
  body?: object,
): Promise<Answer> {
  try {
    const answer = await fetch(`${apiUrl}${path}`, {
      method,
      headers: { authorization: `token ${token}`, 'content-type': 'application/json' },
      signal: AbortSignal.timeout(timeoutMs),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    const isJson = answer.headers.get('content-type')?.includes('json') === true;
    if (answer.status >= 500 || answer.status === 429 || answer.status === 403 || (text !== '' && !isJson)) {
      throw new Failure('GithubUnavailable', `${method} ${path} was answered ${answer.status}`);
    }
    return { status: answer.status, data: text === '' ? null : (JSON.parse(text) as unknown) };
  } catch (error) {
    if (error instanceof Failure) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure('GithubUnavailable', `${method} ${path}: ${why}`, { cause: error });
  }
}

/** Lets a branch point to a commit that is there already, wherever it stood. */
export async function moveBranch(
  access: Access,
  repository: string,
  branch: string,
  sha: string,
): Promise<void> {
  const made = await ask(access, 'POST', `/repos/${repository}/git/refs`, {
    ref: `refs/heads/${branch}`,
    sha,
  });
  if (made.status === 201) return;
  const moved = await ask(access, 'PATCH', `/repos/${repository}/git/refs/heads/${branch}`, {
    sha,
    force: true,
  });
  if (moved.status !== 200) {
    throw new Failure('GitFailed', `${branch} could not be set to ${sha}: ${moved.status}`);
  }
}

const Pull = z.object({
  number: z.number(),
  state: z.string(),
  merged_at: z.string().nullable(),
  head: z.object({ sha: z.string(), ref: z.string() }),
});
export type LabPull = z.infer<typeof Pull>;

const Comment = z.object({ id: z.number(), body: z.string(), user: z.object({ login: z.string() }) });
export type LabComment = z.infer<typeof Comment>;

export async function pullsOf(access: Access, repository: string, branch: string): Promise<LabPull[]> {
  const [owner] = repository.split('/');
  const query = new URLSearchParams({ head: `${owner ?? ''}:${branch}`, state: 'all', per_page: '100' });
  const { data } = await ask(access, 'GET', `/repos/${repository}/pulls?${query.toString()}`);
  return z
    .array(Pull)
    .parse(data)
    .filter(({ head }) => head.ref === branch);
}

export async function commentsOf(access: Access, repository: string, number: number): Promise<LabComment[]> {
  const path = `/repos/${repository}/issues/${number}/comments?per_page=100`;
  return z.array(Comment).parse((await ask(access, 'GET', path)).data);
}
