import { once } from 'node:events';

import { section, type Config } from '../../infra/config/config.ts';
import { createEncryptingCodec } from '../../infra/temporal/codec/create-encrypting-codec.ts';
import { readPayloadKeys } from '../../infra/temporal/codec/payload-keys.ts';
import { listenOn } from '../listen-on.ts';
import { createCodecServer } from './create-codec-server.ts';

export interface RunCodecServerOptions {
  /** Aborting it stops the server after the requests under way. */
  readonly signal: AbortSignal;
  readonly onListening: (url: string) => void;
}

/** Serves clear text until it is told to stop (the signal, or SIGTERM). Throws `ConfigError` when the port is taken. */
export async function runCodecServer(config: Config, options: RunCodecServerOptions): Promise<void> {
  const { host, port, token } = section(config, 'codec');
  const keysFile = config.temporal.payloads?.keysFile ?? '';
  const server = await createCodecServer({
    codec: createEncryptingCodec(() => readPayloadKeys(keysFile)),
    token,
    origin: new URL(config.temporal.uiUrl).origin,
  });
  const stop = new AbortController();
  const terminate = (): void => stop.abort();
  process.once('SIGTERM', terminate);
  try {
    options.onListening(await listenOn(server, { host, port, key: 'HEPHAESTUS_CODEC_PORT' }));
    const either = AbortSignal.any([options.signal, stop.signal]);
    if (!either.aborted) await once(either, 'abort');
  } finally {
    process.removeListener('SIGTERM', terminate);
    await server.close();
  }
}
