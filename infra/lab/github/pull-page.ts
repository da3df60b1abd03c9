import { moment } from '../../templates/markdown-filters.ts';
import type { Lab } from './lab.ts';
import { renderMarkdown } from './markdown.ts';
import { protectedWords } from './protection.ts';
import type { LabPull, LabRepository } from './state.ts';

/** What the page of a pull request shows. */
export function stateOf({ state, mergedAt, draft }: LabPull): string {
  if (mergedAt !== null) return 'merged';
  return state === 'open' && draft ? 'draft' : state;
}

interface Event {
  readonly id: string;
  readonly at: string;
  readonly author: string;
  readonly did: string;
  readonly html: string;
  readonly reactions: readonly { readonly sign: string; readonly author: string }[];
  readonly threads: readonly object[];
}

const signs: Readonly<Record<string, string>> = {
  '+1': '👍',
  '-1': '👎',
  laugh: '😄',
  confused: '😕',
  heart: '❤️',
  hooray: '🎉',
  rocket: '🚀',
  eyes: '👀',
};

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
      reactions: comment.reactions.map(({ content, author }) => ({
        sign: `${signs[content] ?? ''} ${content}`.trim(),
        author,
      })),
      threads: [],
    }));
  const reviews = pull.reviews.map((review): Event => ({
    id: `pullrequestreview-${review.id}`,
    at: review.submittedAt,
    author: review.author,
    did: `${verbs[review.state]} ${review.commitId.slice(0, 7)}`,
    html: renderMarkdown(review.body),
    reactions: [],
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
export function checksOf(
  { owner, name: repo, statuses, checkRuns }: LabRepository,
  { headSha }: LabPull,
): object[] {
  const newest = new Map(statuses.filter(({ sha }) => sha === headSha).map((one) => [one.context, one]));
  const runs = new Map(
    checkRuns.filter(({ sha }) => sha === headSha).map((run) => [`${run.app ?? ''} ${run.name}`, run]),
  );
  return [
    ...[...newest.values()].map((one) => ({
      name: one.context,
      state: one.state,
      detail: one.description,
      url: one.targetUrl,
    })),
    ...[...runs.values()].map((run) => ({
      name: run.name,
      state: run.conclusion ?? 'pending',
      detail: run.output?.title ?? run.status.replace('_', ' '),
      url: `/${owner}/${repo}/runs/${run.id}`,
    })),
  ];
}

interface MergeBox {
  readonly may: boolean;
  /** Why not, or that all is well. */
  readonly words: string;
}

/** Whether the merge button would do it, and if not why. */
export async function mergeBox(
  lab: Lab,
  repository: LabRepository,
  pull: LabPull,
  mergeable: boolean,
): Promise<MergeBox> {
  if (!mergeable) return { may: false, words: `This branch has conflicts with ${pull.baseRef}.` };
  if (pull.draft) return { may: false, words: 'This pull request is still a draft.' };
  const words = await protectedWords(lab, repository, pull);
  if (words !== null) return { may: false, words: words.trim() };
  return { may: true, words: `This branch has no conflicts with ${pull.baseRef}.` };
}

/** A diff line by line, with its colour. */
export function diffLines(diff: string): object[] {
  const kinds: Readonly<Record<string, string>> = { '+': 'add', '-': 'del', '@': 'quiet' };
  return diff.split('\n').map((text) => ({ text, kind: kinds[text.charAt(0)] ?? '' }));
}
