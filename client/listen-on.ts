import type { FastifyInstance } from 'fastify';

import { ConfigError } from '../infra/config/config-error.ts';
import type { Key } from '../infra/config/keys.ts';

/** Where a server listens, and the setting that the port comes from. */
export interface Place {
  readonly host: string;
  readonly port: number;
  readonly key: Key;
}

/** Who is still sending so long after the end began is hung up on, ms: an answer that is under way takes less. */
const patienceMs = 3000;

/** Begins to listen; returns the address. Throws `ConfigError` when the port is taken. */
export async function listenOn(server: FastifyInstance, { host, port, key }: Place): Promise<string> {
  server.addHook('preClose', async () => {
    setTimeout(() => server.server.closeAllConnections(), patienceMs).unref();
  });
  try {
    return await server.listen({ host, port });
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'EADDRINUSE') throw error;
    const found = `${port}, which another program listens on`;
    const todo = 'stop that program or choose another port';
    throw new ConfigError([{ key, found, expected: 'a free port', todo }]);
  }
}
