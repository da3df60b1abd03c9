import { createServer, request, type Server } from 'node:http';
import {
  connect,
  createServer as createTcpServer,
  type AddressInfo,
  type Server as TcpServer,
  type Socket,
} from 'node:net';

import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';

import { body, createdJob, openLab, type Lab } from './lab.ts';

let lab: Lab;
const servers: (Server | TcpServer)[] = [];

beforeAll(async () => {
  lab = await openLab();
});
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});
afterAll(async () => {
  await lab.remove();
});

async function listen(server: Server | TcpServer): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}

it('an http proxy carries everything', async () => {
  const seen: string[] = [];
  const proxy = createServer((incoming, outgoing) => {
    seen.push(incoming.url ?? '');
    const { method, headers } = incoming;
    const onward = request(incoming.url ?? '', { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(onward);
  });
  const client = lab.client({ proxy: `http://127.0.0.1:${await listen(proxy)}` });
  expect(await createdJob(client, 'true')).toMatch(/^job-/);
  expect(seen).toEqual([`${lab.standIn.url}/auth/token`, `${lab.standIn.url}/openapi/v1/train_job/create`]);
});

it('a socks5 proxy carries everything', async () => {
  const seen: number[] = [];
  const client = lab.client({ proxy: `socks5://127.0.0.1:${await listen(socksServer(seen))}` });
  expect(await createdJob(client, 'true')).toMatch(/^job-/);
  const port = Number(new URL(lab.standIn.url).port);
  expect(seen).toEqual([port, port]);
});

it.each(['http', 'socks5'])(
  'a proxy of %s that nobody answers at means that nothing was sent',
  async (scheme) => {
    const client = lab.client({ proxy: `${scheme}://127.0.0.1:1` });
    await expect(client.createJob(body('true'))).rejects.toMatchObject({ type: 'QizhiUnavailable' });
  },
);

/** RFC 1928 without a password: greeting, CONNECT to an IPv4 address or a name, then bytes both ways. */
function socksServer(ports: number[]): TcpServer {
  return createTcpServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', () => {
      socket.write(Buffer.from([5, 0]));
      socket.once('data', (asked) => {
        const { host, port } = targetOf(asked);
        ports.push(port);
        join(socket, host, port);
      });
    });
  });
}

function targetOf(asked: Buffer): { host: string; port: number } {
  const isName = asked[3] === 3;
  const length = isName ? (asked[4] ?? 0) : 4;
  const start = isName ? 5 : 4;
  const address = asked.subarray(start, start + length);
  const host = isName ? address.toString() : [...address].join('.');
  return { host, port: asked.readUInt16BE(start + length) };
}

function join(socket: Socket, host: string, port: number): void {
  const onward = connect(port, host, () => {
    socket.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
    socket.pipe(onward).pipe(socket);
  });
  onward.on('error', () => socket.destroy());
}
