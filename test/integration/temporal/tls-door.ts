import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'node:tls';

import { execa } from 'execa';

export interface Certificates {
  readonly ca: string;
  readonly serverCert: string;
  readonly serverKey: string;
  readonly clientCert: string;
  readonly clientKey: string;
}

/** An authority, a client's certificate and a server's for this machine, made by the commands of docs/deployment.md. */
export async function makeCertificates(folder: string): Promise<Certificates> {
  const page = await readFile(new URL('../../../docs/deployment.md', import.meta.url), 'utf8');
  const commands = /```sh\nmkdir -p deploy\/tls[^\n]*\n([\s\S]*?)```/.exec(page)?.[1];
  if (commands === undefined) throw new Error('docs/deployment.md has no block that makes certificates');
  await execa('sh', ['-eu'], { cwd: folder, input: commands.replaceAll('cloud.lab.example', 'localhost') });
  const path = (name: string): string => join(folder, name);
  return {
    ca: path('ca.crt'),
    serverCert: path('tls.crt'),
    serverKey: path('tls.key'),
    clientCert: path('networked.crt'),
    clientKey: path('networked.key'),
  };
}

export interface TlsDoor {
  readonly address: string;
  close(): Promise<void>;
}

/** What nginx does in deploy/nginx: TLS with certificates on both sides, plain bytes to `target` behind it; `port` 0: any that is free. */
export async function openTlsDoor(target: string, certificates: Certificates, port = 0): Promise<TlsDoor> {
  const [host = '', inside] = target.split(':');
  const [cert, key, ca] = await Promise.all(
    [certificates.serverCert, certificates.serverKey, certificates.ca].map((path) => readFile(path)),
  );
  const server = createServer(
    { cert, key, ca, requestCert: true, rejectUnauthorized: true, ALPNProtocols: ['h2'] },
    (socket) => {
      const inner = connect(Number(inside), host);
      socket.pipe(inner).pipe(socket);
      socket.on('error', () => inner.destroy());
      inner.on('error', () => socket.destroy());
      socket.on('close', () => inner.destroy());
    },
  );
  const open = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `localhost:${(server.address() as AddressInfo).port}`,
    close: async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
