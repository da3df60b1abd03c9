import type { HeardWord } from '../../domain/command.ts';
import { commentMarkerStart } from '../../domain/ids.ts';
import { parseCommand } from '../../domain/parse-command.ts';
import type { SaidComment } from '../../infra/github/conversation-calls.ts';
import type { GithubClient } from '../../infra/github/github-client.ts';
import type { AwaitWordsInput, HeardWords, WordCursor } from './conversation.ts';

/** Words that are told at once; the others are found by the next look. */
const mostWords = 20;
/** GitHub's servers may show comments a little out of order. */
const overlapMs = 5 * 60_000;

/**
 * The words since the cursor, each looked at once. Said is what a person wrote as a new comment: bots are not heard, and
 * a comment that was edited is told with that reason, because whoever may write can edit the words of others. Who may
 * speak is asked of GitHub at this moment.
 */
export async function hearWords(
  github: GithubClient,
  { repository, number, cursor }: Pick<AwaitWordsInput, 'repository' | 'number' | 'cursor'>,
): Promise<Pick<HeardWords, 'words' | 'cursor'>> {
  const comments = await github.listCommentsSince(repository, number, cursor.since);
  const candidates = comments.filter((comment) => isNew(comment, cursor));
  if (candidates.length === 0) return { words: [], cursor };
  const me = await github.whoAmI();
  const mayWrite = new Map<string, boolean>();
  const words: HeardWord[] = [];
  let { strangersLeft } = cursor;
  for (const comment of candidates) {
    if (words.length === mostWords) break;
    const { id: commentId, url, author, createdAt: writtenAt } = comment;
    const { login } = author;
    if (!mayWrite.has(login)) mayWrite.set(login, await github.mayWrite(repository, login));
    const stranger = mayWrite.get(login) !== true;
    if (stranger && strangersLeft === 0) continue;
    // Reading Markdown costs more the more it is knotted: only after it is known that somebody stands behind it.
    const word = parseCommand(comment.body);
    if (word === null) continue;
    if (stranger) strangersLeft -= 1;
    const why = whyNot(comment, stranger, author.id === me.id);
    const said = word.status === 'command' ? word.command.kind : word.said;
    words.push({
      commentId,
      url,
      by: login,
      writtenAt,
      word: why === null ? word : { status: 'unclear', said, why },
    });
  }
  return words.length === 0
    ? { words, cursor }
    : { words, cursor: { ...advance(cursor, comments, words), strangersLeft } };
}

/** Cheap: nothing is asked for comments that cannot say anything. */
function isNew(comment: SaidComment, { since, known }: WordCursor): boolean {
  if (comment.author.isBot || comment.body.startsWith(commentMarkerStart)) return false;
  if (known.includes(comment.id) || Date.parse(comment.createdAt) < Date.parse(since)) return false;
  return /^ {0,3}\/hephaestus(?:[ \t]|\r?$)/im.test(comment.body);
}

function whyNot({ createdAt, updatedAt }: SaidComment, stranger: boolean, own: boolean): string | null {
  if (own)
    return "it is of the account that Hephaestus itself writes with: use one's own, or the command line";
  if (stranger) return 'only people with write permission to the repository are obeyed';
  if (Date.parse(updatedAt) > Date.parse(createdAt)) {
    return 'the comment was edited after it was written: say it in a new one';
  }
  return null;
}

function advance(
  cursor: WordCursor,
  comments: readonly SaidComment[],
  words: readonly HeardWord[],
): WordCursor {
  const newest = Math.max(...words.map(({ writtenAt }) => Date.parse(writtenAt)));
  const sinceMs = Math.max(Date.parse(cursor.since), newest - overlapMs);
  const written = new Map(comments.map(({ id, createdAt }) => [id, Date.parse(createdAt)]));
  const known = [...cursor.known, ...words.map(({ commentId }) => commentId)].filter(
    // One that is not listed any more was deleted, or is older than what is listed.
    (id) => (written.get(id) ?? -Infinity) >= sinceMs,
  );
  return { ...cursor, since: new Date(sinceMs).toISOString(), known };
}
