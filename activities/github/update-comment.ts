import { commentMarker } from '../../domain/ids.ts';
import { Failure } from '../../infra/failure.ts';
import type { GithubClient, IssueComment } from '../../infra/github/github-client.ts';
import { commentBody } from './comment-body.ts';
import type { CommentInput, Picture } from './interface.ts';

/**
 * Writes the one sticky comment: the oldest with the marker and of this account, since anybody may type the marker.
 * What an earlier attempt left over beside it is taken away.
 */
export async function updateComment(
  github: GithubClient,
  { repository, number, status, pictures, live = null }: CommentInput,
): Promise<{ readonly url: string; readonly shownAt: string }> {
  const body = commentBody(
    status,
    pictures.map((picture) => ownOnly(github, repository, picture)),
    live,
  );
  const [first, ...doubles] = await ownComments(github, repository, number, commentMarker(status.id));
  for (const double of doubles) await github.deleteComment(repository, double.id);
  const written = first === undefined ? null : await rewrite(github, repository, first, body);
  const { url, updatedAt } = written ?? (await github.createComment(repository, number, body));
  return { url, shownAt: updatedAt };
}

/** A picture from elsewhere would tell a stranger who looks at the comment: its words stay, its address goes. */
function ownOnly({ serverUrl }: GithubClient, repository: string, picture: Picture): Picture {
  const own = [`${serverUrl}/${repository}/`, `${serverUrl}/user-attachments/assets/`];
  const isOwn = (url: string | null | undefined): boolean =>
    own.some((start) => url?.startsWith(start) === true);
  if (isOwn(picture.url) && (picture.darkUrl === undefined || isOwn(picture.darkUrl))) return picture;
  const { darkUrl: _dark, ...rest } = picture;
  return { ...rest, url: null };
}

async function ownComments(
  github: GithubClient,
  repository: string,
  number: number,
  marker: string,
): Promise<IssueComment[]> {
  const [me, comments] = await Promise.all([github.whoAmI(), github.listComments(repository, number)]);
  return comments.filter(({ authorId, body }) => authorId === me.id && body.startsWith(marker));
}

/** null when somebody deleted it in between. */
async function rewrite(
  github: GithubClient,
  repository: string,
  comment: IssueComment,
  body: string,
): Promise<IssueComment | null> {
  if (comment.body === body) return comment;
  try {
    return await github.updateComment(repository, comment.id, body);
  } catch (error) {
    if (error instanceof Failure && error.type === 'GithubNotFound') return null;
    throw error;
  }
}
