import type { Lab } from './lab.ts';
import { pullShape } from './pull-shape.ts';
import { reviewShape } from './shapes.ts';
import { nodeId } from './user-shape.ts';
import type { LabPull, LabRepository, LabReview } from './state.ts';

export interface NewReview {
  readonly author: string;
  readonly state: LabReview['state'];
  readonly body: string;
  readonly commitId: string;
  readonly comments: readonly { readonly path: string; readonly line: number; readonly body: string }[];
}

/** Adds a review with a thread for each of its comments, and tells the hooks. */
export function addReview(
  lab: Lab,
  repository: LabRepository,
  pull: LabPull,
  { author, state, body, commitId, comments }: NewReview,
): LabReview {
  const review = { id: lab.nextId(), author, state, body, commitId, submittedAt: lab.now() };
  pull.reviews.push(review);
  pull.updatedAt = lab.now();
  for (const comment of comments) {
    const id = lab.nextId();
    pull.threads.push({
      id: nodeId('PRRT', id),
      reviewId: review.id,
      path: comment.path,
      line: comment.line,
      originalLine: comment.line,
      commitId,
      resolved: false,
      comments: [{ id, author, body: comment.body, createdAt: lab.now() }],
    });
  }
  const payload = {
    action: 'submitted',
    review: { ...reviewShape(lab, repository, pull, review), state: state.toLowerCase() },
    pull_request: pullShape(lab, repository, pull, false),
  };
  lab.announce(repository, 'pull_request_review', payload, lab.user(author));
  return review;
}
