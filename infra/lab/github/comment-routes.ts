import { z } from 'zod';

import type { Lab } from './lab.ts';
import { invalid, notFound, Refusal } from './refusal.ts';
import { type Call, page, pullOf, readBody, type Route } from './router.ts';
import { commentShape, issueShape } from './shapes.ts';
import { nodeId, userShape } from './user-shape.ts';
import type { LabComment, LabPull, LabRepository, LabUser } from './state.ts';

const longestBody = 65_536;
const NewComment = z.object({ body: z.string() });
const Reaction = z.object({
  content: z.enum(['+1', '-1', 'laugh', 'confused', 'heart', 'hooray', 'rocket', 'eyes']),
});

/** The comments below a pull request and the reactions to them. */
export function addCommentRoutes(route: Route, lab: Lab): void {
  route('GET', '/issues/:number/comments', 'read', async (call) => {
    const { number } = pullOf(call);
    const found = call.repository.comments.filter((comment) => comment.number === number);
    return page(call, found, lab).map((comment) => commentShape(lab, call.repository, comment));
  });

  route('POST', '/issues/:number/comments', 'read', async (call) => {
    const { repository, user, reply } = call;
    const comment = addComment(lab, repository, pullOf(call), bodyOf(call), user);
    return reply.code(201).send(commentShape(lab, repository, comment));
  });

  route('GET', '/issues/comments/:id', 'read', async (call) =>
    commentShape(lab, call.repository, commentOf(call)),
  );

  route('PATCH', '/issues/comments/:id', 'read', async (call) => {
    const comment = commentOf(call);
    assertMayChange(call, comment);
    const from = comment.body;
    comment.body = bodyOf(call);
    comment.updatedAt = lab.now();
    announce(lab, call.repository, comment, 'edited', call.user, { changes: { body: { from } } });
    return commentShape(lab, call.repository, comment);
  });

  route('DELETE', '/issues/comments/:id', 'read', async (call) => {
    const comment = commentOf(call);
    assertMayChange(call, comment);
    call.repository.comments = call.repository.comments.filter((one) => one !== comment);
    announce(lab, call.repository, comment, 'deleted', call.user);
    return call.reply.code(204).send();
  });

  route('GET', '/issues/:number', 'read', async (call) => issueShape(lab, call.repository, pullOf(call)));

  addReactionRoutes(route, lab);
}

function addReactionRoutes(route: Route, lab: Lab): void {
  const shape = ({ id, content, author, createdAt }: LabComment['reactions'][number]): object => ({
    id,
    node_id: nodeId('REA', id),
    content,
    user: userShape(lab, lab.user(author)),
    created_at: createdAt,
  });

  route('GET', '/issues/comments/:id/reactions', 'read', async (call) =>
    page(call, commentOf(call).reactions, lab).map(shape),
  );

  route('POST', '/issues/comments/:id/reactions', 'read', async (call) => {
    const comment = commentOf(call);
    const { content } = readBody(Reaction, call.body, 'Reaction');
    const author = call.user.login;
    const before = comment.reactions.find((one) => one.author === author && one.content === content);
    if (before !== undefined) return call.reply.code(200).send(shape(before));
    const reaction = { id: lab.nextId(), content, author, createdAt: lab.now() };
    comment.reactions.push(reaction);
    return call.reply.code(201).send(shape(reaction));
  });

  route('DELETE', '/issues/comments/:id/reactions/:reaction', 'read', async (call) => {
    const comment = commentOf(call);
    const reaction = comment.reactions.find(({ id }) => id === Number(call.params['reaction']));
    if (reaction === undefined || reaction.author !== call.user.login) throw notFound();
    comment.reactions = comment.reactions.filter((one) => one !== reaction);
    return call.reply.code(204).send();
  });
}

/** Adds a comment and tells the hooks. */
export function addComment(
  lab: Lab,
  repository: LabRepository,
  pull: LabPull,
  body: string,
  user: LabUser,
): LabComment {
  const now = lab.now();
  const comment: LabComment = {
    id: lab.nextId(),
    number: pull.number,
    author: user.login,
    body,
    createdAt: now,
    updatedAt: now,
    reactions: [],
  };
  repository.comments.push(comment);
  pull.updatedAt = now;
  announce(lab, repository, comment, 'created', user);
  return comment;
}

function announce(
  lab: Lab,
  repository: LabRepository,
  comment: LabComment,
  action: string,
  sender: LabUser,
  more: object = {},
): void {
  const pull = repository.pulls.find(({ number }) => number === comment.number);
  if (pull === undefined) return;
  const issue = issueShape(lab, repository, pull);
  const payload = { action, issue, comment: commentShape(lab, repository, comment), ...more };
  lab.announce(repository, 'issue_comment', payload, sender);
}

function bodyOf(call: Call): string {
  const { body } = readBody(NewComment, call.body, 'IssueComment');
  if (body.trim() === '') throw invalid({ resource: 'IssueComment', field: 'body', code: 'missing_field' });
  if (body.length > longestBody) {
    throw invalid({
      resource: 'IssueComment',
      code: 'custom',
      field: 'body',
      message: `body is too long (maximum is ${longestBody} characters)`,
    });
  }
  return body;
}

function commentOf({ repository, params }: Call): LabComment {
  const comment = repository.comments.find(({ id }) => id === Number(params['id']));
  if (comment === undefined) throw notFound();
  return comment;
}

function assertMayChange({ repository, user }: Call, { author }: LabComment): void {
  const access = repository.collaborators[user.login];
  if (author === user.login || access === 'admin' || access === 'write') return;
  throw new Refusal(403, 'Must have admin rights to Repository.');
}
