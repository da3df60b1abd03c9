import { z } from 'zod';

import type { Lab } from './lab.ts';
import { Refusal } from './refusal.ts';
import { addReview } from './reviews.ts';
import { page, pullOf, readBody, type Route } from './router.ts';
import { reviewCommentShape, reviewShape } from './shapes.ts';

const NewReview = z.object({
  commit_id: z.string().optional(),
  body: z.string().default(''),
  event: z.enum(['APPROVE', 'REQUEST_CHANGES', 'COMMENT']),
  comments: z
    .array(z.object({ path: z.string(), line: z.int().min(1), body: z.string().min(1) }))
    .default([]),
});

const states = { APPROVE: 'APPROVED', REQUEST_CHANGES: 'CHANGES_REQUESTED', COMMENT: 'COMMENTED' } as const;

/** Reviews by people; Copilot's come by request. */
export function addReviewRoutes(route: Route, lab: Lab): void {
  route('GET', '/pulls/:number/reviews', 'read', async (call) => {
    const pull = pullOf(call);
    return page(call, pull.reviews, lab).map((review) => reviewShape(lab, call.repository, pull, review));
  });

  route('POST', '/pulls/:number/reviews', 'read', async (call) => {
    const pull = pullOf(call);
    const {
      commit_id = pull.headSha,
      body,
      event,
      comments,
    } = readBody(NewReview, call.body, 'PullRequestReview');
    if (pull.author === call.user.login && event !== 'COMMENT') {
      const what = event === 'APPROVE' ? 'approve' : 'request changes on';
      throw new Refusal(422, `Can not ${what} your own pull request`);
    }
    const review = addReview(lab, call.repository, pull, {
      author: call.user.login,
      state: states[event],
      body,
      commitId: commit_id,
      comments,
    });
    return reviewShape(lab, call.repository, pull, review);
  });

  route('GET', '/pulls/:number/comments', 'read', async (call) =>
    page(
      call,
      pullOf(call).threads.flatMap((thread) =>
        reviewCommentShape(lab, call.repository, pullOf(call), thread),
      ),
      lab,
    ),
  );
}
