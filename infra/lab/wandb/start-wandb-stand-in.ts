import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import fastify from 'fastify';
import writeFileAtomic from 'write-file-atomic';

import type { StandIn, StandInOptions } from '../stand-in.ts';
import { openArtifactStore } from './artifact-store.ts';
import { Faults } from './faults.ts';
import { createGraphqlApi } from './graphql-api.ts';
import { addLabRoutes } from './lab-routes.ts';
import { addPageRoutes } from './page-routes.ts';
import { addWandbRoutes } from './routes.ts';
import { openRunStore } from './run-store.ts';
import { Settings } from './settings.ts';
import { spoilAnswers } from './spoil-answers.ts';
import { Stats } from './stats.ts';

export interface WandbStandInOptions extends StandInOptions {
  /** The one entity of the server; `lab` when it is not given. */
  readonly entity?: string;
  /** At least 40 characters, as the real client demands; made once and kept in the folder when it is not given. */
  readonly apiKey?: string;
}

/** W&B sends at most 10 MiB a request; files may be larger. */
const bodyLimitBytes = 256 * 1024 * 1024;

/**
 * A stand-in of the W&B server: enough for the unmodified `wandb sync` and `wandb.init`, and for reading results back.
 * Below `/_lab/` it is asked for faults, other settings, and what it was asked.
 */
export async function startWandbStandIn(options: WandbStandInOptions): Promise<StandIn> {
  const { directory, port = 0, entity = 'lab' } = options;
  await mkdir(directory, { recursive: true });
  const apiKey = options.apiKey ?? (await keptKey(directory));
  const store = await openRunStore(directory);
  const artifacts = await openArtifactStore(directory);
  const faults = new Faults();
  const stats = new Stats();
  const held = { current: Settings.parse({}) };
  const settings = (): Settings => held.current;
  const server = fastify({ bodyLimit: bodyLimitBytes, forceCloseConnections: true });
  let url = '';
  const baseUrl = (): string => url;
  const graphql = createGraphqlApi({ store, artifacts, entity, baseUrl, settings });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  spoilAnswers(server);
  addWandbRoutes(server, { store, artifacts, faults, stats, settings, graphql, apiKey });
  addLabRoutes(server, { store, faults, stats, settings: held });
  addPageRoutes(server, store, settings);
  await server.listen({ host: '127.0.0.1', port });
  url = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  return {
    name: 'wandb',
    url,
    settings: { WANDB_BASE_URL: url, WANDB_API_KEY: apiKey, WANDB_ENTITY: entity },
    close: () => server.close(),
  };
}

async function keptKey(directory: string): Promise<string> {
  const path = join(directory, 'api-key');
  const kept = await readFile(path, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (kept !== undefined) return kept.trim();
  const key = randomBytes(20).toString('hex');
  await writeFileAtomic(path, `${key}\n`, { mode: 0o600 });
  return key;
}
