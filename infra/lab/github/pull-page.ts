import { moment } from '../../templates/markdown-filters.ts';
import { renderMarkdown } from './markdown.ts';
import type { LabPull, LabRepository } from './state.ts';

/** What the page of a pull request shows. */
export function stateOf({ state, mergedAt }: LabPull): string {
  return mergedAt === null ? state : 'merged';
}

interface Event {
  readonly id: string;
  readonly at: string;
  readonly author: string;
  readonly did: string;
  readonly html: string;
  readonly reactions: string;
  readonly threads: readonly object[];
}

const verbs = {
  APPROVED: 'approved',
  CHANGES_REQUESTED: 'requested changes to',
  COMMENTED: 'reviewed',
  DISMISSED: 'reviewed (dismissed)',
} as const;

/** Comments and reviews in the order in which they came. */
export function eventsOf(repository: LabRepository, pull: LabPull): Event[] {
  const comments = repository.comments
    .filter(({ number }) => number === pull.number)
    .map((comment): Event => ({
      id: `issuecomment-${comment.id}`,
      at: comment.createdAt,
      author: comment.author,
      did:
        comment.updatedAt === comment.createdAt
          ? 'commented'
          : `commented (edited ${moment(comment.updatedAt)})`,
      html: renderMarkdown(comment.body),
      reactions: comment.reactions.map(({ content, author }) => `${content} by ${author}`).join(', '),
      threads: [],
    }));
  const reviews = pull.reviews.map((review): Event => ({
    id: `pullrequestreview-${review.id}`,
    at: review.submittedAt,
    author: review.author,
    did: `${verbs[review.state]} ${review.commitId.slice(0, 7)}`,
    html: renderMarkdown(review.body),
    reactions: '',
    threads: pull.threads
      .filter(({ reviewId }) => reviewId === review.id)
      .map((thread) => ({
        ...thread,
        html: renderMarkdown(thread.comments.map(({ body }) => body).join('\n\n')),
      })),
  }));
  return [...comments, ...reviews].toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

/** Statuses and check runs of the head, the newest of each name. */
export function checksOf({ statuses, checkRuns }: LabRepository, { headSha }: LabPull): object[] {
  const newest = new Map(statuses.filter(({ sha }) => sha === headSha).map((one) => [one.context, one]));
  return [
    ...[...newest.values()].map((one) => ({ name: one.context, state: one.state, detail: one.description })),
    ...checkRuns
      .filter(({ sha }) => sha === headSha)
      .map(({ name, status, conclusion }) => ({ name, state: conclusion ?? 'pending', detail: status })),
  ];
}

/** A diff line by line, with its colour. */
export function diffLines(diff: string): object[] {
  const kinds: Readonly<Record<string, string>> = { '+': 'add', '-': 'del', '@': 'quiet' };
  return diff.split('\n').map((text) => ({ text, kind: kinds[text.charAt(0)] ?? '' }));
}
