import { Failure } from '../failure.ts';

export interface RepositoryName {
  readonly owner: string;
  readonly repo: string;
}

/** Takes `owner/name` apart. */
export function repositoryName(repository: string): RepositoryName {
  const [owner = '', repo = '', ...rest] = repository.split('/');
  if (owner !== '' && repo !== '' && rest.length === 0) return { owner, repo };
  throw new Failure('RepositoryNotFound', `"${repository}" is not a repository; expected owner/name`);
}
