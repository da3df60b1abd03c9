/**
 * Joins ports of one network namespace to sockets in the file system, which all namespaces share: what a zone can reach is
 * exactly what is piped. Run inside the namespace as `node port-pipes.ts '<JSON of PortPipe[]>'`; prints `ready`.
 */
import { once } from 'node:events';
import { chmod } from 'node:fs/promises';
import { connect, createServer, type NetConnectOpts, type Socket } from 'node:net';

export interface PortPipe {
  readonly from: number | string;
  readonly to: number | string;
}

const place = (end: number | string): NetConnectOpts =>
  typeof end === 'number' ? { host: '127.0.0.1', port: end } : { path: end };

/** Listens on every `from`, and hands each connection on to its `to`. Returns what closes them. */
export async function openPipes(pipes: readonly PortPipe[]): Promise<() => void> {
  const open = new Set<Socket>();
  const servers = await Promise.all(
    pipes.map(async ({ from, to }) => {
      const server = createServer({ allowHalfOpen: true }, (near) => {
        const far = connect({ ...place(to), allowHalfOpen: true });
        for (const [one, other] of [
          [near, far],
          [far, near],
        ] as const) {
          open.add(one);
          one.pipe(other);
          one.on('error', () => other.destroy());
          one.on('close', () => open.delete(one));
        }
      });
      server.listen(place(from));
      await once(server, 'listening');
      // Every zone has a user of its own.
      if (typeof from === 'string') await chmod(from, 0o666);
      return server;
    }),
  );
  return () => {
    for (const socket of open) socket.destroy();
    for (const server of servers) server.close();
  };
}

if (process.argv[1] === import.meta.filename) {
  await openPipes(JSON.parse(process.argv[2] ?? '[]') as PortPipe[]);
  process.stdout.write('ready\n');
}
