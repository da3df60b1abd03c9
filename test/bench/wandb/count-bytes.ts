import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands before a server and counts the bytes of the bodies that go to `file_stream`. */
export async function countBytes(target: string) {
  let bytes = 0;
  const server: Server = createServer((incoming, outgoing) => {
    const counted = incoming.url?.endsWith('/file_stream') === true;
    const { method, headers } = incoming;
    const onward = request(
      new URL(incoming.url ?? '/', target),
      { ...(method !== undefined && { method }), headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    onward.on('error', () => outgoing.destroy());
    incoming.on('data', (chunk: Buffer) => {
      if (counted) bytes += chunk.length;
    });
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    bytes: () => bytes,
    reset: () => {
      bytes = 0;
    },
    close: () => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
