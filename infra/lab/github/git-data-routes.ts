import { z } from 'zod';

import { gitCommitShape } from './commit-shapes.ts';
import { commitOf, git, gitBytes, gitOrNull, readRefs } from './git.ts';
import { noticeRefs, type Lab } from './lab.ts';
import { mayWriteWorkflows, refusedWords } from './permissions.ts';
import { notFound, Refusal } from './refusal.ts';
import { type Call, readBody, type Route } from './router.ts';
import type { LabUser } from './state.ts';
import { nodeId } from './user-shape.ts';

const Blob = z.object({ content: z.string(), encoding: z.enum(['utf-8', 'base64']).default('utf-8') });
const Tree = z.object({
  base_tree: z.string().optional(),
  tree: z.array(
    z.object({
      path: z.string(),
      mode: z.enum(['100644', '100755', '040000', '160000', '120000']),
      type: z.enum(['blob', 'tree', 'commit']),
      sha: z.string().nullable().optional(),
      content: z.string().optional(),
    }),
  ),
});
const NewCommit = z.object({
  message: z.string(),
  tree: z.string(),
  parents: z.array(z.string()).default([]),
});
const NewRef = z.object({ ref: z.string(), sha: z.string() });
const RefUpdate = z.object({ sha: z.string(), force: z.boolean().default(false) });

/** The Git Data API, by git itself. */
export function addGitDataRoutes(route: Route, lab: Lab): void {
  route('POST', '/git/blobs', 'write', async ({ repository, body, reply }) => {
    const { content, encoding } = readBody(Blob, body, 'Blob');
    const input = Buffer.from(content, encoding === 'base64' ? 'base64' : 'utf8');
    const sha = await git(lab.folder(repository), ['hash-object', '-w', '--stdin'], { input });
    return reply.code(201).send({ sha, url: urlOf(lab, repository, `blobs/${sha}`) });
  });

  route('GET', '/git/blobs/:sha', 'read', async ({ repository, params }) => {
    const sha = hex(params['sha']);
    if ((await gitOrNull(lab.folder(repository), ['cat-file', '-t', sha])) !== 'blob') throw notFound();
    const bytes = await gitBytes(lab.folder(repository), ['cat-file', 'blob', sha]);
    return {
      sha,
      node_id: nodeId('B', Number.parseInt(sha.slice(0, 8), 16)),
      url: urlOf(lab, repository, `blobs/${sha}`),
      size: bytes.length,
      encoding: 'base64',
      content: Buffer.from(bytes).toString('base64'),
    };
  });

  route('POST', '/git/trees', 'write', async (call) => {
    const sha = await writeTree(lab, call);
    return call.reply
      .code(201)
      .send({ sha, url: urlOf(lab, call.repository, `trees/${sha}`), tree: [], truncated: false });
  });

  route('GET', '/git/trees/*', 'read', async ({ repository, params, query }) => {
    const revision = params['*'] ?? '';
    const folder = lab.folder(repository);
    const sha = revision.startsWith('-')
      ? null
      : await gitOrNull(folder, ['rev-parse', '--verify', '--quiet', `${revision}^{tree}`]);
    if (sha === null) throw notFound();
    const list = await git(folder, ['ls-tree', '-z', '-l', ...(query['recursive'] ? ['-r', '-t'] : []), sha]);
    const tree = list
      .split('\0')
      .filter((line) => line !== '')
      .map((line) => {
        const [, mode, type, id, size, path] = /^(\d+) (\w+) (\w+)\s+(\S+)\t(.*)$/s.exec(line) ?? [];
        return { path, mode, type, sha: id, ...(type === 'blob' && { size: Number(size) }) };
      });
    return { sha, url: urlOf(lab, repository, `trees/${sha}`), tree, truncated: false };
  });

  route('POST', '/git/commits', 'write', async ({ repository, user, body, reply }) => {
    const { message, tree, parents } = readBody(NewCommit, body, 'Commit');
    const folder = lab.folder(repository);
    if ((await gitOrNull(folder, ['cat-file', '-t', hex(tree)])) !== 'tree')
      throw new Refusal(422, 'Tree SHA does not exist');
    for (const parent of parents) {
      if ((await commitOf(folder, hex(parent))) === null)
        throw new Refusal(422, 'Parent SHA does not exist or is not a commit object');
    }
    const args = ['commit-tree', hex(tree), ...parents.flatMap((parent) => ['-p', parent])];
    const sha = await git(folder, args, { input: message, env: identity(user) });
    return reply.code(201).send(await gitCommitShape(lab, repository, sha));
  });

  route('GET', '/git/commits/:sha', 'read', async ({ repository, params }) => {
    const folder = lab.folder(repository);
    const sha = await commitOf(folder, hex(params['sha']));
    if (sha === null) throw notFound();
    return gitCommitShape(lab, repository, sha);
  });

  addRefRoutes(route, lab);
}

function addRefRoutes(route: Route, lab: Lab): void {
  route('GET', '/git/ref/*', 'read', async (call) => {
    const ref = `refs/${call.params['*'] ?? ''}`;
    const sha = await commitOf(lab.folder(call.repository), ref);
    if (sha === null) throw notFound();
    return refShape(lab, call, ref, sha);
  });

  route('POST', '/git/refs', 'write', async (call) => {
    const { ref, sha } = readBody(NewRef, call.body, 'Reference');
    if (!/^refs\/(heads|tags)\/./.test(ref))
      throw new Refusal(422, 'Reference name must start with refs/heads/ or refs/tags/');
    await moveRef(lab, call, async (folder) => {
      if ((await commitOf(folder, ref)) !== null) throw new Refusal(422, 'Reference already exists');
      await existing(folder, sha);
      await git(folder, ['update-ref', ref, sha, '0'.repeat(40)]);
    });
    return call.reply.code(201).send(refShape(lab, call, ref, sha));
  });

  route('PATCH', '/git/refs/*', 'write', async (call) => {
    const ref = `refs/${call.params['*'] ?? ''}`;
    const { sha, force } = readBody(RefUpdate, call.body, 'Reference');
    await moveRef(lab, call, async (folder) => {
      const before = await commitOf(folder, ref);
      if (before === null) throw new Refusal(422, 'Reference does not exist');
      await existing(folder, sha);
      const forward = (await gitOrNull(folder, ['merge-base', '--is-ancestor', before, sha])) !== null;
      if (!forward && !force) throw new Refusal(422, 'Update is not a fast forward');
      await git(folder, ['update-ref', ref, sha, before]);
    });
    return refShape(lab, call, ref, sha);
  });

  route('DELETE', '/git/refs/*', 'write', async (call) => {
    const ref = `refs/${call.params['*'] ?? ''}`;
    await moveRef(lab, call, async (folder) => {
      if ((await commitOf(folder, ref)) === null) throw new Refusal(422, 'Reference does not exist');
      await git(folder, ['update-ref', '-d', ref]);
    });
    return call.reply.code(204).send();
  });
}

/** Moves refs and lets the pull requests and hooks follow. */
async function moveRef(
  lab: Lab,
  { repository, user }: Call,
  move: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = lab.folder(repository);
  await lab.exclusively(repository, async () => {
    const before = await readRefs(folder);
    await move(folder);
    await noticeRefs(lab, repository, before, user);
  });
}

async function existing(folder: string, sha: string): Promise<void> {
  if ((await commitOf(folder, hex(sha))) === null) throw new Refusal(422, 'Object does not exist');
}

/** By an index of its own, so that two at once do not meet. */
async function writeTree(lab: Lab, { repository, body, token }: Call): Promise<string> {
  const { base_tree, tree } = readBody(Tree, body, 'Tree');
  // GitHub lets nobody change what runs in Actions without being told so by its own permission.
  if (
    token !== null &&
    !mayWriteWorkflows(token) &&
    tree.some(({ path }) => path.startsWith('.github/workflows/'))
  ) {
    throw token.kind === undefined || token.kind === 'classic'
      ? notFound()
      : new Refusal(403, refusedWords(token));
  }
  const folder = lab.folder(repository);
  const env = { GIT_INDEX_FILE: `${folder}/index-${lab.nextId()}` };
  if (base_tree !== undefined) {
    if ((await gitOrNull(folder, ['cat-file', '-e', hex(base_tree)])) === null) throw notFound();
    await git(folder, ['read-tree', hex(base_tree)], { env });
  } else {
    await git(folder, ['read-tree', '--empty'], { env });
  }
  for (const { path, mode, sha, content } of tree) {
    const id =
      content === undefined
        ? (sha ?? null)
        : await git(folder, ['hash-object', '-w', '--stdin'], { input: content });
    if (id !== null && (await gitOrNull(folder, ['cat-file', '-e', hex(id)])) === null) {
      throw new Refusal(422, `tree.sha ${id} is not a valid blob`);
    }
    const line = id === null ? `0 ${'0'.repeat(40)}\t${path}\n` : `${mode} ${id}\t${path}\n`;
    await git(folder, ['update-index', '--index-info'], { env, input: line });
  }
  return git(folder, ['write-tree'], { env });
}

function hex(sha: string | undefined): string {
  if (sha === undefined || !/^[0-9a-f]{40}$/.test(sha))
    throw new Refusal(422, 'The sha must be 40 hexadecimal digits');
  return sha;
}

function refShape(lab: Lab, { repository }: Call, ref: string, sha: string): object {
  return {
    ref,
    node_id: nodeId('REF', Number.parseInt(sha.slice(0, 8), 16)),
    url: urlOf(lab, repository, ref),
    object: { type: 'commit', sha, url: urlOf(lab, repository, `commits/${sha}`) },
  };
}

function urlOf(lab: Lab, { owner, name }: Call['repository'], path: string): string {
  return `${lab.url}/repos/${owner}/${name}/git/${path}`;
}

/** Author and committer of what a user does through the API. */
export function identity({ login, id }: LabUser): Record<string, string> {
  const email = `${id}+${login}@users.noreply.github.example`;
  return {
    GIT_AUTHOR_NAME: login,
    GIT_AUTHOR_EMAIL: email,
    GIT_COMMITTER_NAME: login,
    GIT_COMMITTER_EMAIL: email,
  };
}
