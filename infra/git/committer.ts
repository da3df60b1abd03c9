/** Author and committer of every commit that Hephaestus makes; by it an earlier life's commits are known. */
export const committer = { name: 'Hephaestus', email: 'hephaestus@users.noreply.github.com' } as const;

/** For calls that make a commit. */
export const committerEnvironment: Readonly<Record<string, string>> = {
  GIT_AUTHOR_NAME: committer.name,
  GIT_AUTHOR_EMAIL: committer.email,
  GIT_COMMITTER_NAME: committer.name,
  GIT_COMMITTER_EMAIL: committer.email,
};
