import { randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { FastifyInstance } from 'fastify';

import type { Lab } from './lab.ts';
import { notFound, Refusal } from './refusal.ts';
import { accessOf, apiToken } from './router.ts';

const extensions: Readonly<Record<string, string>> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/gif': 'gif',
  'image/webp': 'webp',
  'image/svg+xml': 'svg',
};
const largest = 10 * 1024 * 1024;

/** What `gh --attach` does: a picture for a comment, uploaded with a user's token and seen by whoever sees the repository. */
export function addAssetRoutes(server: FastifyInstance, lab: Lab, directory: string): void {
  const folder = join(directory, 'assets');
  server.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );

  server.post('/user-attachments/assets', async (request, reply) => {
    const token = apiToken(lab, request);
    if (token === null) throw new Refusal(401, 'Requires authentication');
    // Of an App there is no user to whom the picture could belong.
    if (token.kind === 'installation') throw notFound();
    const {
      name = '',
      content_type: contentType = '',
      repository_id: id,
    } = request.query as Record<string, string>;
    const repository = lab.state.repositories.find((one) => one.id === Number(id));
    const access = repository === undefined ? null : accessOf(repository, lab.user(token.login));
    if (repository === undefined || access === null || access === 'read') throw notFound();
    const extension = extensions[contentType];
    if (extension === undefined || !name.toLowerCase().endsWith(`.${extension}`)) {
      throw new Refusal(422, `Content type ${contentType} does not go with ${name}`);
    }
    const bytes = request.body;
    if (!Buffer.isBuffer(bytes) || bytes.length === 0) throw new Refusal(422, 'File is empty');
    if (bytes.length > largest) throw new Refusal(422, 'File is too large');
    const asset = { id: randomUUID(), name, contentType, repositoryId: repository.id, author: token.login };
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, asset.id), bytes);
    lab.state.assets = [...(lab.state.assets ?? []), asset];
    return reply.code(201).send({ url: `${lab.url}/user-attachments/assets/${asset.id}` });
  });

  server.get('/user-attachments/assets/:id', async ({ params }, reply) => {
    const asset = lab.state.assets?.find(({ id }) => id === (params as { id: string }).id);
    if (asset === undefined) throw notFound();
    const bytes = await readFile(join(folder, asset.id));
    return reply
      .type(asset.contentType)
      .header('x-content-type-options', 'nosniff')
      .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; sandbox")
      .send(bytes);
  });
}
