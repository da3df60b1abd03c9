import { spawn } from 'node:child_process';
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { gitEnvironment, readRefs } from './git.ts';
import { type Lab, noticeRefs } from './lab.ts';
import { accessOf, findToken } from './router.ts';
import type { LabRepository, LabUser } from './state.ts';

const longestHeader = 64 * 1024;

/** Smart HTTP: `git clone`, `fetch` and `push` by the real `git http-backend`. */
export function addGitRoutes(server: FastifyInstance, lab: Lab): void {
  // The body belongs to git: nobody reads it here.
  for (const type of ['application/x-git-upload-pack-request', 'application/x-git-receive-pack-request']) {
    server.addContentTypeParser(type, (_request, payload: IncomingMessage, done) => done(null, payload));
  }
  server.get('/:owner/:repo/info/refs', async (request, reply) => {
    const { service } = request.query as { service?: string };
    if (service !== 'git-upload-pack' && service !== 'git-receive-pack') {
      return reply.code(403).type('text/plain').send('Please upgrade your git client.\n');
    }
    return serve(lab, request, reply, { service, path: '/info/refs' });
  });
  for (const service of ['git-upload-pack', 'git-receive-pack'] as const) {
    server.post(`/:owner/:repo/${service}`, async (request, reply) =>
      serve(lab, request, reply, { service, path: `/${service}` }),
    );
  }
}

interface Service {
  readonly service: 'git-upload-pack' | 'git-receive-pack';
  readonly path: string;
}

async function serve(
  lab: Lab,
  request: FastifyRequest,
  reply: FastifyReply,
  { service, path }: Service,
): Promise<FastifyReply> {
  const { owner = '', repo = '' } = request.params as Record<string, string>;
  const user = gitUser(lab, request);
  const repository = lab.find(owner, repo);
  if (
    user === 'unknown' ||
    (user === null && (repository?.private !== false || service === 'git-receive-pack'))
  ) {
    return reply
      .code(401)
      .header('www-authenticate', 'Basic realm="GitHub"')
      .type('text/plain')
      .send('Authentication failed\n');
  }
  const access = repository === undefined ? null : accessOf(repository, user);
  if (repository === undefined || access === null) {
    return reply.code(404).type('text/plain').send('Repository not found.\n');
  }
  if (service === 'git-receive-pack' && access === 'read') {
    const denied = `Permission to ${owner}/${repo} denied to ${user?.login ?? 'you'}.\n`;
    return reply.code(403).type('text/plain').send(denied);
  }
  const pusher = user ?? lab.user('ghost');
  if (path !== '/git-receive-pack') return runBackend(lab, request, reply, repository, { path, pusher });
  return lab.exclusively(repository, () => runBackend(lab, request, reply, repository, { path, pusher }));
}

/** Basic with the token as password, whatever the name; `unknown` for a token that does not exist. */
function gitUser(lab: Lab, { headers }: FastifyRequest): LabUser | 'unknown' | null {
  const { authorization } = headers;
  if (authorization === undefined) return null;
  const basic = /^basic\s+(.+)$/i.exec(authorization)?.[1];
  const given =
    basic === undefined
      ? (/^(?:token|bearer)\s+(.+)$/i.exec(authorization)?.[1] ?? '')
      : Buffer.from(basic, 'base64').toString().split(':').slice(1).join(':');
  const token = findToken(lab, given);
  return token === undefined ? 'unknown' : lab.user(token.login);
}

interface Run {
  readonly path: string;
  readonly pusher: LabUser;
}

/** The answer ends only after the pull requests have followed the push, so that who pushed sees them moved. */
async function runBackend(
  lab: Lab,
  request: FastifyRequest,
  reply: FastifyReply,
  repository: LabRepository,
  { path, pusher }: Run,
): Promise<FastifyReply> {
  const isPush = path === '/git-receive-pack';
  const before = isPush ? await readRefs(lab.folder(repository)) : undefined;
  const child = spawn('git', ['http-backend'], {
    env: cgiEnvironment(lab, request, repository, { path, pusher }),
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  // A client that hangs up, or a git that leaves early, breaks the pipe; the answer tells of it.
  child.stdin.on('error', () => undefined);
  const body = request.body as Readable | undefined;
  if (body === undefined || body === null) child.stdin.end();
  else body.pipe(child.stdin);
  request.raw.once('close', () => {
    if (!request.raw.complete) child.kill();
  });
  reply.hijack();
  const { status, headers, rest } = await readHeaders(child.stdout);
  reply.raw.writeHead(status, headers);
  reply.raw.write(rest);
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    if (!reply.raw.write(chunk)) await new Promise<void>((resolve) => drainOrClose(reply, resolve));
    if (reply.raw.destroyed) break;
  }
  await ended;
  try {
    if (before !== undefined) await noticeRefs(lab, repository, before, pusher);
  } finally {
    reply.raw.end();
  }
  return reply;
}

function drainOrClose({ raw }: FastifyReply, resolve: () => void): void {
  raw.once('drain', resolve);
  raw.once('close', resolve);
}

function cgiEnvironment(
  lab: Lab,
  { method, headers, query }: FastifyRequest,
  repository: LabRepository,
  { path, pusher }: Run,
): Record<string, string> {
  const one = (name: string): string => String(headers[name] ?? '');
  return gitEnvironment({
    GIT_PROJECT_ROOT: lab.folder(repository),
    GIT_HTTP_EXPORT_ALL: '1',
    PATH_INFO: path,
    REQUEST_METHOD: method,
    QUERY_STRING: new URLSearchParams(query as Record<string, string>).toString(),
    REMOTE_USER: pusher.login,
    REMOTE_ADDR: '127.0.0.1',
    CONTENT_TYPE: one('content-type'),
    ...(headers['content-length'] !== undefined && { CONTENT_LENGTH: one('content-length') }),
    HTTP_CONTENT_ENCODING: one('content-encoding'),
    GIT_PROTOCOL: one('git-protocol'),
    GIT_COMMITTER_NAME: pusher.login,
    GIT_COMMITTER_EMAIL: `${pusher.login}@users.noreply.github.example`,
  });
}

interface CgiHead {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly rest: Buffer;
}

/** A CGI answer begins with headers, `Status:` among them. */
async function readHeaders(output: Readable): Promise<CgiHead> {
  let seen = Buffer.alloc(0);
  while (seen.indexOf('\r\n\r\n') === -1 && seen.length < longestHeader) {
    const chunk = await nextChunk(output);
    if (chunk === null) return { status: 500, headers: { 'content-type': 'text/plain' }, rest: seen };
    seen = Buffer.concat([seen, chunk]);
  }
  const end = seen.indexOf('\r\n\r\n');
  const headers: Record<string, string> = {};
  for (const line of seen.subarray(0, end).toString().split('\r\n')) {
    const [name = '', ...value] = line.split(':');
    headers[name.toLowerCase()] = value.join(':').trim();
  }
  const { status = '200', ...others } = headers;
  return { status: Number.parseInt(status, 10), headers: others, rest: seen.subarray(end + 4) };
}

async function nextChunk(output: Readable): Promise<Buffer | null> {
  for (;;) {
    const chunk = output.read() as Buffer | null;
    if (chunk !== null) return chunk;
    if (output.readableEnded || output.destroyed) return null;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        output.off('readable', done);
        output.off('end', done);
        output.off('close', done);
        resolve();
      };
      output.once('readable', done);
      output.once('end', done);
      output.once('close', done);
    });
  }
}
