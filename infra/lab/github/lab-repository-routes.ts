import type { FastifyInstance } from 'fastify';
import { z } from 'zod';

import { announceRun } from './check-run-routes.ts';
import { fork } from './forks.ts';
import type { Lab } from './lab.ts';
import { empty, readLab } from './lab-routes.ts';
import { notFound, Refusal } from './refusal.ts';
import { repositoryShape } from './repository-shape.ts';
import { appShape, checkRunShape } from './shapes.ts';
import type { LabRepository } from './state.ts';

const Person = z.strictObject({ access: z.enum(['read', 'write', 'admin']).default('write') });
const Protection = z.strictObject({
  requiredReviews: z.int().min(0).max(6).default(0),
  requiredChecks: z.array(z.string()).default([]),
  strict: z.boolean().default(false),
  mergeQueue: z.boolean().default(false),
});
const Changes = z.strictObject({
  archived: z.boolean().optional(),
  private: z.boolean().optional(),
  mergeMethods: z.array(z.enum(['merge', 'squash', 'rebase'])).optional(),
});
const Name = z.strictObject({ owner: z.string().optional(), name: z.string().regex(/^[\w.-]{1,100}$/) });
export const CheckRunSeed = z.strictObject({
  sha: z.string().regex(/^[0-9a-f]{40}$/),
  name: z.string(),
  status: z.enum(['queued', 'in_progress', 'completed']),
  conclusion: z.string().nullable(),
});
export type CheckRunSeed = z.infer<typeof CheckRunSeed>;

const base = '/_lab/repositories/:owner/:repo';

/** What the owner of a repository would do in GitHub's settings, without a browser. */
export function addLabRepositoryRoutes(server: FastifyInstance, lab: Lab): void {
  const at = (params: unknown): LabRepository => {
    const { owner = '', repo = '' } = params as Record<string, string>;
    const repository = lab.find(owner, repo);
    if (repository === undefined) throw notFound();
    return repository;
  };
  server.get(base, async ({ params }) => {
    const { id, owner, name, collaborators, protection = {}, formerNames = [] } = at(params);
    return { id, owner, name, collaborators, protection, formerNames };
  });
  server.put(base, async ({ params, body }) => {
    const { archived, private: hidden, mergeMethods } = readLab(Changes, body);
    const repository = at(params);
    if (archived !== undefined) repository.archived = archived;
    if (hidden !== undefined) repository.private = hidden;
    if (mergeMethods !== undefined) repository.mergeMethods = mergeMethods;
    return repositoryShape(lab, repository);
  });
  server.post(`${base}/rename`, async ({ params, body }) => {
    const repository = at(params);
    const { owner = repository.owner, name } = readLab(Name, body);
    rename(lab, repository, owner, name);
    return repositoryShape(lab, repository);
  });
  server.post(`${base}/forks`, async ({ params, body }, reply) => {
    const user = lab.user(readLab(z.strictObject({ login: z.string() }), body).login);
    if (user.id === 0) throw notFound();
    return reply.code(201).send(repositoryShape(lab, await fork(lab, at(params), user)));
  });
  server.post(`${base}/check-runs`, async ({ params, body }, reply) =>
    reply.code(201).send(setCheckRun(lab, at(params), readLab(CheckRunSeed, body))),
  );
  addPeople(server, lab, at);
  addProtection(server, at);
}

type At = (params: unknown) => LabRepository;

function addPeople(server: FastifyInstance, lab: Lab, at: At): void {
  /** The user is made, with a token, where there is none of this name. */
  server.put(`${base}/collaborators/:login`, async ({ params, body }) => {
    const { login } = params as { login: string };
    const { access } = readLab(Person, body);
    const user = lab.addUser(login);
    at(params).collaborators[user.login] = access;
    const token = lab.state.tokens.find((one) => one.login === user.login && one.use === 'api')?.token;
    return { login: user.login, access, token };
  });
  server.delete(`${base}/collaborators/:login`, async ({ params }, reply) => {
    const { login } = params as { login: string };
    delete at(params).collaborators[lab.user(login).login];
    return empty(reply);
  });
}

function addProtection(server: FastifyInstance, at: At): void {
  server.put(`${base}/protection/*`, async ({ params, body }) => {
    const repository = at(params);
    const rules = readLab(Protection, body);
    repository.protection = { ...repository.protection, [(params as { '*': string })['*']]: rules };
    return repository.protection;
  });
  server.delete(`${base}/protection/*`, async ({ params }, reply) => {
    const repository = at(params);
    const { [(params as { '*': string })['*']]: _gone, ...others } = repository.protection ?? {};
    repository.protection = others;
    return empty(reply);
  });
}

/** The former name leads to the new one, as on GitHub. */
function rename(lab: Lab, repository: LabRepository, owner: string, name: string): void {
  const before = `${repository.owner}/${repository.name}`.toLowerCase();
  const wanted = `${owner}/${name}`.toLowerCase();
  const taken = lab.state.repositories.some(
    (one) => one !== repository && `${one.owner}/${one.name}`.toLowerCase() === wanted,
  );
  if (taken) throw new Refusal(422, `${owner}/${name} exists already`);
  const from = repository.name;
  lab.addUser(owner, 'Organization');
  repository.formerNames = [...(repository.formerNames ?? []), before].filter((one) => one !== wanted);
  Object.assign(repository, { owner, name });
  const changes = { repository: { name: { from } } };
  lab.announce(repository, 'repository', { action: 'renamed', changes }, lab.user('pi'));
}

/** Sets a check run, as GitHub Actions would. */
export function setCheckRun(lab: Lab, repository: LabRepository, run: CheckRunSeed): object {
  const others = repository.checkRuns.filter((one) => one.sha !== run.sha || one.name !== run.name);
  const made = { ...run, id: lab.nextId(), at: lab.now() };
  repository.checkRuns = [...others, made];
  lab.save();
  announceRun(lab, repository, made, lab.user('github-actions[bot]'));
  return { ...checkRunShape(lab, repository, made), app: appShape(lab, 'github-actions') };
}
