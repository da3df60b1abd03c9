import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

import { SMTPServer } from 'smtp-server';

import { freePort } from '../../../infra/free-port.ts';

/** What a receiver does with one message: takes it, refuses it, is ill, or takes it and never says so. */
export type Mood = 'takes' | 'ill' | 'refuses' | 'silent';

export interface Posted {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Readonly<Record<string, unknown>>;
}

/** An HTTP receiver whose moods follow each other; the last one stays. */
export async function startReceiver(moods: Mood[], answer: object = { code: 0 }) {
  const posted: Posted[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const body = JSON.parse(await text(request)) as Posted['body'];
      posted.push({ path: request.url ?? '', headers: request.headers, body });
      const mood = moods.length > 1 ? moods.shift() : moods[0];
      if (mood === 'silent') return void request.socket.destroy();
      response.writeHead(mood === 'ill' ? 500 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(mood === 'refuses' ? { code: 19_021, msg: 'sign match fail' } : answer));
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { url: `http://127.0.0.1:${port}`, posted, moods, close };
}

/** A mail server that knows one account and keeps what it took. */
export async function startMailServer() {
  const mails: string[] = [];
  const faults: number[] = [];
  const port = await freePort();
  const server = new SMTPServer({
    authOptional: false,
    allowInsecureAuth: true,
    disabledCommands: ['STARTTLS'],
    onAuth: ({ username, password }, _session, done) =>
      username === 'hephaestus' && password === 'canary-password'
        ? done(null, { user: username })
        : done(new Error('no such account')),
    onData: (stream, _session, done) => {
      const take = async (): Promise<void> => {
        const mail = await text(stream);
        const fault = faults.shift();
        if (fault === undefined) mails.push(mail);
        done(fault === undefined ? null : Object.assign(new Error('not now'), { responseCode: fault }));
      };
      void take();
    },
  });
  server.listen(port, '127.0.0.1');
  await once(server.server, 'listening');
  const url = (password: string): string => `smtp://hephaestus:${password}@127.0.0.1:${port}`;
  const close = async (): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
  return { url: url('canary-password'), wrongUrl: url('wrong'), mails, faults, close };
}
