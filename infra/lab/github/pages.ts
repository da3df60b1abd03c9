import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import nunjucks from 'nunjucks';

import { commitOf, git, gitBytes, gitOrNull } from './git.ts';
import type { Lab } from './lab.ts';
import { renderMarkdown } from './markdown.ts';
import { moment } from '../../templates/markdown-filters.ts';
import { isMergeable } from './merge.ts';
import { addPageForms, viewerOf } from './page-forms.ts';
import { checksOf, diffLines, eventsOf, mergeBox, stateOf } from './pull-page.ts';
import { notFound } from './refusal.ts';
import { accessOf } from './router.ts';
import { sourceOf } from './pull-shape.ts';
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

interface Shown {
  readonly lab: Lab;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

function show({ lab, request, reply }: Shown, template: string, values: object): FastifyReply {
  const viewer = viewerOf(lab, request);
  const people = lab.state.users.filter(({ type }) => type === 'User').map(({ login }) => login);
  const whole = { ...values, viewer: viewer.login, people, here: request.url.split('?', 1)[0] };
  return reply
    .type('text/html; charset=utf-8')
    .header('content-security-policy', policy)
    .send(templates.render(template, whole));
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

  server.get('/', async (request, reply) => {
    const repositories = lab.state.repositories.map((one) => ({
      name: `${one.owner}/${one.name}`,
      clone: `${lab.url}/${one.owner}/${one.name}.git`,
      pulls: pullLines(one),
    }));
    return show({ lab, request, reply }, 'repositories.html', { title: 'Repositories', repositories });
  });

  server.get('/:owner/:repo', async (request, reply) => {
    const { repository, folder, name } = place(request.params);
    const branch = repository.defaultBranch;
    const files = (await git(folder, ['ls-tree', '-r', '--name-only', branch])).split('\n');
    const readme = files.includes('README.md') ? await git(folder, ['show', `${branch}:README.md`]) : '';
    const values = { title: name, repository: name, branch, files, pulls: pullLines(repository) };
    const commits = await commitLines(folder, [branch, '-n', '30']);
    const shown = { ...values, commits, readme: renderMarkdown(readme) };
    return show({ lab, request, reply }, 'repository.html', shown);
  });

  server.get('/:owner/:repo/pull/:number', async (request, reply) =>
    show({ lab, request, reply }, 'pull.html', await pullValues(lab, place(request.params), request)),
  );

  server.get('/:owner/:repo/commit/:sha', async (request, reply) => {
    const { folder, name, params: given } = place(request.params);
    const sha = await commitOf(folder, given['sha'] ?? '');
    if (sha === null) throw notFound();
    const head = await git(folder, ['show', '-s', '--format=fuller', sha]);
    const diff = await git(folder, ['show', '--format=', sha]);
    const values = { title: sha, repository: name, sha, head, diff: diffLines(diff) };
    return show({ lab, request, reply }, 'commit.html', values);
  });

  addFilePage(server, lab, place);
  addRunPage(server, lab, place);
  addPageForms(server, lab, (params) => {
    const where = place(params);
    return { repository: where.repository, pull: pullOf(where) };
  });
}

async function pullValues(lab: Lab, where: Place, request: FastifyRequest): Promise<object> {
  const { repository, folder, name } = where;
  const pull = pullOf(where);
  const viewer = viewerOf(lab, request);
  const access = accessOf(repository, viewer);
  const mayWrite = access === 'write' || access === 'admin';
  const range =
    pull.mergeCommitSha === null ? `${pull.baseRef}...${pull.headSha}` : `${pull.baseSha}...${pull.headSha}`;
  const diff = (await gitOrNull(folder, ['diff', range])) ?? '';
  const source = sourceOf(lab, repository, pull);
  const mergeable = pull.state === 'open' && (await isMergeable(lab, repository, pull));
  return {
    title: `${pull.title} #${pull.number}`,
    repository: name,
    pull,
    state: stateOf(pull),
    from: source === repository ? pull.headRef : `${source?.owner ?? 'unknown'}:${pull.headRef}`,
    body: renderMarkdown(pull.body),
    events: eventsOf(repository, pull),
    checks: checksOf(repository, pull),
    merge: await mergeBox(lab, repository, pull, mergeable),
    mayWrite,
    mayChange: mayWrite || pull.author === viewer.login,
    refused: (request.query as Record<string, string>)['refused'],
    commits: await commitLines(folder, [`${pull.baseSha}..${pull.headSha}`]),
    diff: diffLines(diff),
  };
}

type FindPlace = (params: unknown) => Place;

/** What a check run says at length. */
function addRunPage(server: FastifyInstance, lab: Lab, place: FindPlace): void {
  server.get('/:owner/:repo/runs/:id', async (request, reply) => {
    const { repository, name, params } = place(request.params);
    const run = repository.checkRuns.find(({ id }) => id === Number(params['id']));
    if (run === undefined) throw notFound();
    const { title = null, summary = null, text = null } = run.output ?? {};
    const said = {
      heading: title ?? run.name,
      summary: renderMarkdown(summary ?? ''),
      text: renderMarkdown(text ?? ''),
    };
    const state = run.conclusion ?? 'pending';
    return show({ lab, request, reply }, 'run.html', { title: run.name, repository: name, run, state, said });
  });
}

/** `/blob/<commit or branch>/<path>`; a branch with a slash in its name is found by trying. */
function addFilePage(server: FastifyInstance, lab: Lab, place: FindPlace): void {
  server.get('/:owner/:repo/blob/*', async (request, reply) => {
    const { folder, name, params: given } = place(request.params);
    const parts = (given['*'] ?? '').split('/');
    for (let taken = 1; taken < parts.length; taken += 1) {
      const sha = await commitOf(folder, parts.slice(0, taken).join('/'));
      const path = parts.slice(taken).join('/');
      if (sha === null || (await gitOrNull(folder, ['cat-file', '-t', `${sha}:${path}`])) !== 'blob')
        continue;
      const bytes = Buffer.from(await gitBytes(folder, ['cat-file', 'blob', `${sha}:${path}`]));
      const picture = pictures[path.split('.').at(-1) ?? ''];
      const raw = (request.query as Record<string, string>)['raw'];
      if (raw === 'true' || raw === '1') {
        return reply
          .type(picture ?? 'text/plain; charset=utf-8')
          .header('x-content-type-options', 'nosniff')
          .send(bytes);
      }
      const content = picture === undefined ? bytes.toString('utf8') : '';
      const markdown = path.endsWith('.md') ? renderMarkdown(content) : '';
      const values = { title: path, repository: name, path, picture, content, markdown };
      return show({ lab, request, reply }, 'file.html', values);
    }
    throw notFound();
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
