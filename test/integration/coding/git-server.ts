import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { execa } from 'execa';
import { onTestFinished } from 'vitest';

import { processEnvironment } from '../../../infra/env.ts';

export interface GitServer {
  readonly url: string;
  /** Requests so far, as method and path. */
  readonly requests: string[];
}

/** Real git over HTTP on the bare repositories in a folder, for one token; what is not there answers 404. */
export async function startGitServer(root: string, token: string): Promise<GitServer> {
  const expected = `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`;
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method ?? ''} ${request.url ?? ''}`);
    if (request.headers.authorization !== expected) return void response.writeHead(401).end('no');
    return serve(root, request, response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

function serve(root: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const child = spawn('git', ['http-backend'], {
    env: {
      PATH: processEnvironment()['PATH'],
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      HTTP_GIT_PROTOCOL: request.headers['git-protocol']?.toString() ?? '',
      REMOTE_USER: 'tester',
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  request.pipe(child.stdin);
  child.stdin.on('error', () => child.kill());
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.on('close', () => {
    const output = Buffer.concat(chunks);
    const end = output.indexOf('\r\n\r\n');
    const headers = output.subarray(0, end).toString().split('\r\n');
    let status = 200;
    for (const header of headers) {
      const [name = '', value = ''] = header.split(/: (.*)/, 2);
      if (name === 'Status') status = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    response.writeHead(status).end(output.subarray(end + 4));
  });
}

/** A bare repository `lab/digits` with one commit on `main`. */
export async function seedRepository(root: string, scratch: string): Promise<string> {
  const bare = `${root}/lab/digits.git`;
  const script = `
    set -e
    git init --quiet --bare --initial-branch=main "$0"
    git -C "$0" config http.receivepack true
    git clone --quiet "$0" "$1/seed" && cd "$1/seed"
    mkdir configs && printf 'rate = 1\\n' > train.py && printf 'a: 1\\n' > configs/base.yaml && printf '# digits\\n' > README.md
    git -c user.name=a -c user.email=a@example.com commit --quiet --allow-empty -m base
    git add . && git -c user.name=a -c user.email=a@example.com commit --quiet --amend -m base
    git push --quiet origin HEAD:main`;
  await execa('sh', ['-c', script, bare, scratch]);
  return bare;
}
