import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { FastifyInstance, FastifyReply } from 'fastify';
import nunjucks from 'nunjucks';

import { addComment } from './comment-routes.ts';
import { commitOf, git, gitBytes, gitOrNull } from './git.ts';
import type { Lab } from './lab.ts';
import { renderMarkdown } from './markdown.ts';
import { moment } from '../../templates/markdown-filters.ts';
import { checksOf, diffLines, eventsOf, stateOf } from './pull-page.ts';
import { notFound, Refusal } from './refusal.ts';
import type { LabPull, LabRepository } from './state.ts';

const templates = new nunjucks.Environment(
  new nunjucks.FileSystemLoader(join(dirname(fileURLToPath(import.meta.url)), 'templates')),
  { autoescape: true },
);
templates.addFilter('moment', moment);

/** Whatever a comment holds, the page loads nothing from elsewhere and runs nothing. */
const policy = "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; form-action 'self'";

const pictures: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
};

function show(reply: FastifyReply, template: string, values: object): FastifyReply {
  return reply
    .type('text/html; charset=utf-8')
    .header('content-security-policy', policy)
    .send(templates.render(template, values));
}

interface Place {
  readonly repository: LabRepository;
  readonly folder: string;
  readonly name: string;
  readonly params: Readonly<Record<string, string>>;
}

/** Pages for people: plain, without scripts, open to whoever sits at this machine. */
export function addPages(server: FastifyInstance, lab: Lab): void {
  const place = (given: unknown): Place => {
    const params = given as Record<string, string>;
    const repository = lab.find(params['owner'] ?? '', params['repo'] ?? '');
    if (repository === undefined) throw notFound();
    return {
      repository,
      params,
      folder: lab.folder(repository),
      name: `${repository.owner}/${repository.name}`,
    };
  };

  server.get('/', async (_request, reply) => {
    const repositories = lab.state.repositories.map((one) => ({
      name: `${one.owner}/${one.name}`,
      clone: `${lab.url}/${one.owner}/${one.name}.git`,
      pulls: pullLines(one),
    }));
    return show(reply, 'repositories.html', { title: 'Repositories', repositories });
  });

  server.get('/:owner/:repo', async ({ params }, reply) => {
    const { repository, folder, name } = place(params);
    const branch = repository.defaultBranch;
    const files = (await git(folder, ['ls-tree', '-r', '--name-only', branch])).split('\n');
    const readme = files.includes('README.md') ? await git(folder, ['show', `${branch}:README.md`]) : '';
    const values = { title: name, repository: name, branch, files, pulls: pullLines(repository) };
    const commits = await commitLines(folder, [branch, '-n', '30']);
    return show(reply, 'repository.html', { ...values, commits, readme: renderMarkdown(readme) });
  });

  server.get('/:owner/:repo/pull/:number', async ({ params }, reply) => {
    const where = place(params);
    const pull = pullOf(where);
    const range =
      pull.mergeCommitSha === null
        ? `${pull.baseRef}...${pull.headSha}`
        : `${pull.baseSha}...${pull.headSha}`;
    const diff = (await gitOrNull(where.folder, ['diff', range])) ?? '';
    return show(reply, 'pull.html', {
      title: `${pull.title} #${pull.number}`,
      repository: where.name,
      pull,
      state: stateOf(pull),
      body: renderMarkdown(pull.body),
      events: eventsOf(where.repository, pull),
      checks: checksOf(where.repository, pull),
      commits: await commitLines(where.folder, [`${pull.baseSha}..${pull.headSha}`]),
      diff: diffLines(diff),
    });
  });

  server.get('/:owner/:repo/commit/:sha', async ({ params }, reply) => {
    const { folder, name, params: given } = place(params);
    const sha = await commitOf(folder, given['sha'] ?? '');
    if (sha === null) throw notFound();
    const head = await git(folder, ['show', '-s', '--format=fuller', sha]);
    const diff = await git(folder, ['show', '--format=', sha]);
    return show(reply, 'commit.html', { title: sha, repository: name, sha, head, diff: diffLines(diff) });
  });

  addFilePage(server, place);
  addCommentForm(server, lab, place);
}

type FindPlace = (params: unknown) => Place;

/** `/blob/<commit or branch>/<path>`; a branch with a slash in its name is found by trying. */
function addFilePage(server: FastifyInstance, place: FindPlace): void {
  server.get('/:owner/:repo/blob/*', async ({ params, query }, reply) => {
    const { folder, name, params: given } = place(params);
    const parts = (given['*'] ?? '').split('/');
    for (let taken = 1; taken < parts.length; taken += 1) {
      const sha = await commitOf(folder, parts.slice(0, taken).join('/'));
      const path = parts.slice(taken).join('/');
      if (sha === null || (await gitOrNull(folder, ['cat-file', '-t', `${sha}:${path}`])) !== 'blob')
        continue;
      const bytes = Buffer.from(await gitBytes(folder, ['cat-file', 'blob', `${sha}:${path}`]));
      const picture = pictures[path.split('.').at(-1) ?? ''];
      const raw = (query as Record<string, string>)['raw'];
      if (raw === 'true' || raw === '1') {
        return reply
          .type(picture ?? 'text/plain; charset=utf-8')
          .header('x-content-type-options', 'nosniff')
          .send(bytes);
      }
      const content = picture === undefined ? bytes.toString('utf8') : '';
      const markdown = path.endsWith('.md') ? renderMarkdown(content) : '';
      return show(reply, 'file.html', { title: path, repository: name, path, picture, content, markdown });
    }
    throw notFound();
  });
}

/** So that a person can say `/hephaestus merge` from the page. */
function addCommentForm(server: FastifyInstance, lab: Lab, place: FindPlace): void {
  const form = 'application/x-www-form-urlencoded';
  server.addContentTypeParser(form, { parseAs: 'string' }, (_request, body, done) =>
    done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  );
  server.post('/:owner/:repo/pull/:number/comments', async (request, reply) => {
    if (request.headers.origin !== undefined && request.headers.origin !== lab.url) {
      throw new Refusal(403, 'This form is for its own page');
    }
    const where = place(request.params);
    const { body = '' } = (request.body ?? {}) as Record<string, string>;
    if (body.trim() !== '') addComment(lab, where.repository, pullOf(where), body.trim(), lab.user('pi'));
    return reply.redirect(`/${where.name}/pull/${where.params['number'] ?? ''}`, 303);
  });
}

function pullOf({ repository, params }: Place): LabPull {
  const pull = repository.pulls.find(({ number }) => number === Number(params['number']));
  if (pull === undefined) throw notFound();
  return pull;
}

function pullLines(repository: LabRepository): object[] {
  return repository.pulls.toReversed().map((pull) => ({
    number: pull.number,
    title: pull.title,
    updatedAt: pull.updatedAt,
    state: stateOf(pull),
  }));
}

async function commitLines(folder: string, range: readonly string[]): Promise<object[]> {
  const log = await gitOrNull(folder, ['log', '--format=%H%x00%an%x00%aI%x00%s', ...range]);
  return (log ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [sha, author, date, subject] = line.split('\0');
      return { sha, author, date, subject };
    });
}
