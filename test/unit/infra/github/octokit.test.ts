import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterEach, expect, it } from 'vitest';

import { createGithubClient } from '../../../../infra/github/create-github-client.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server that answers one user, and 304 to whoever has it already; silent when `delayed`. */
async function serve(delayed: boolean) {
  const heard: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    heard.push(request.headers);
    if (delayed) return;
    const known = request.headers['if-none-match'] === 'W/"1"';
    response.writeHead(known ? 304 : 200, { etag: 'W/"1"', 'content-type': 'application/json' });
    response.end(known ? undefined : JSON.stringify({ permission: 'write', role_name: 'write' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { heard, settings: { apiUrl: url, serverUrl: url, token: 't' } };
}

it('asks again by the ETag, and takes 304 for the answer that it has', async () => {
  const { heard, settings } = await serve(false);
  const client = createGithubClient(settings);
  expect(await client.mayWrite('lab/digits', 'ann')).toBe(true);
  expect(await client.mayWrite('lab/digits', 'ann')).toBe(true);
  expect(heard.map((headers) => headers['if-none-match'])).toEqual([undefined, 'W/"1"']);
  expect(heard[1]?.authorization).toBe('token t');
});

it('gives up on an answer that does not come', async () => {
  const { settings } = await serve(true);
  const client = createGithubClient(settings, { timeoutMs: 200 });
  await expect(client.mayWrite('lab/digits', 'ann')).rejects.toMatchObject({ type: 'GithubUnavailable' });
});
