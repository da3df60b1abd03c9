import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createSecureServer, type Http2SecureServer } from 'node:http2';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';

import { openTemporalLink } from '../../../client/temporal-link.ts';
import { loadConfig } from '../../../infra/config/load-config.ts';
import { startDevServer, type DevServer } from '../../../infra/temporal/dev-server.ts';
import { createDataConverter } from '../../../infra/temporal/codec/create-data-converter.ts';
import { addPayloadKey } from '../../../infra/temporal/codec/payload-keys.ts';
import { deployment } from '../../../workers/deployment.ts';
import { quietRuntime } from '../../support/temporal-environment.ts';
import type { EchoWorkflow } from './echo-workflow.ts';
import { makeCertificates, openTlsDoor, type Certificates, type TlsDoor } from './tls-door.ts';
import { workflowTaskOptions } from '../../../workers/workflow-task-options.ts';

const secret = 'wandb-key-of-this-process';
const taskQueue = 'echo';
let folder: string;
let server: DevServer;
let certificates: Certificates;
let door: TlsDoor;
let worker: Worker;
let running: Promise<void>;
let connection: NativeConnection;
let started = 0;
/** What the activity answers, in turn; then its own words. */
const answers: string[] = [];

beforeAll(async () => {
  quietRuntime();
  folder = await mkdtemp(join(tmpdir(), 'hephaestus-access-'));
  await addPayloadKey(join(folder, 'keys.json'), new Date());
  certificates = await makeCertificates(folder);
  server = await startDevServer({ temporal: inject('tools').temporal });
  door = await openTlsDoor(server.address, certificates);
  const { temporal } = settings();
  connection = await NativeConnection.connect(temporal.connectionOptions);
  worker = await Worker.create({
    connection,
    namespace: temporal.namespace,
    taskQueue,
    workflowsPath: join(import.meta.dirname, 'echo-workflow.ts'),
    activities: { answer: async (words: string) => answers.shift() ?? `heard: ${words}` },
    ...workflowTaskOptions,
    dataConverter: createDataConverter(temporal.payloads, { from: 'activities' }),
    ...deployment,
  });
  running = worker.run();
});

afterAll(async () => {
  worker.shutdown();
  await running;
  await connection.close();
  await door.close();
  await server.close();
  await rm(folder, { recursive: true });
});

describe('through a door with TLS and a certificate for each zone, with encrypted payloads', () => {
  it('a client and a worker do their work, and nothing readable is kept', async () => {
    const link = openTemporalLink(settings().temporal);
    const handle = await link.within(30_000, () => start(link, 'the loss of the third seed'));
    expect(await handle.result()).toBe('heard: the loss of the third seed');
    const history = JSON.stringify(historyToJSON(await handle.fetchHistory()));
    expect(history).toContain(Buffer.from('binary/encrypted').toString('base64'));
    expect(history).not.toContain('third seed');
    expect(history).not.toContain(Buffer.from('the loss of the third seed').toString('base64').slice(3, 20));
    expect(history).toContain(deployment.workerDeploymentOptions.version.buildId);
    await link.close();
  });

  it('a secret in what a person gives is refused before it is sent', async () => {
    const link = openTemporalLink(settings().temporal);
    const refused: unknown = await link
      .within(30_000, () => start(link, `use ${secret}`))
      .catch((error) => error);
    expect(refused).toMatchObject({ name: 'ClientError', kind: 'refused' });
    expect(String(refused)).toContain("one of this process's own credentials");
    expect(String(refused)).not.toContain(secret);
    await link.close();
  });

  it('an answer of an activity that holds a secret is tried again, until it holds none', async () => {
    answers.push(`token ghp_${'b'.repeat(36)}`, `still ${secret}`);
    const link = openTemporalLink(settings().temporal);
    const handle = await link.within(30_000, () => start(link, 'clean'));
    expect(await handle.result()).toBe('heard: clean');
    const history = historyToJSON(await handle.fetchHistory());
    expect(history).toContain('PayloadHoldsSecret');
    expect(history).not.toMatch(/ghp_/);
    expect(history).not.toContain(secret);
    await link.close();
  });

  it('who has no certificate is not let in', async () => {
    const link = openTemporalLink(settings({ client: false }).temporal);
    const refused: unknown = await link.within(10_000, () => start(link, 'hello')).catch((error) => error);
    expect(refused).toMatchObject({ name: 'ClientError', kind: 'unreachable' });
    await link.close();
  });
});

it('an API key is sent as a bearer, over TLS, and one that is refused is told as that', async () => {
  const seen: string[] = [];
  const stub = await refusingServer(seen);
  const env = {
    ...none(),
    TEMPORAL_ADDRESS: `localhost:${(stub.address() as AddressInfo).port}`,
    TEMPORAL_API_KEY: 'an-api-key-of-the-lab',
    TEMPORAL_TLS_SERVER_CA_CERT_PATH: certificates.ca,
  };
  const link = openTemporalLink(loadConfig({ env, zones: [], cwd: folder }).temporal);
  const refused: unknown = await link.within(30_000, () => start(link, 'hello')).catch((error) => error);
  expect(refused).toMatchObject({ name: 'ClientError', kind: 'unreachable' });
  expect(String(refused)).toContain('refused the credentials');
  expect(String(refused)).not.toContain('an-api-key');
  await vi.waitFor(() => expect(seen).toContain('Bearer an-api-key-of-the-lab'));
  await link.close();
  stub.close();
});

function settings({ client = true }: { readonly client?: boolean } = {}) {
  const env = {
    ...none(),
    TEMPORAL_ADDRESS: door.address,
    TEMPORAL_TLS_SERVER_CA_CERT_PATH: certificates.ca,
    ...(client && {
      TEMPORAL_TLS_CLIENT_CERT_PATH: certificates.clientCert,
      TEMPORAL_TLS_CLIENT_KEY_PATH: certificates.clientKey,
    }),
    HEPHAESTUS_PAYLOAD_KEYS_FILE: 'keys.json',
    WANDB_API_KEY: secret,
  };
  return loadConfig({ env, zones: [], cwd: folder });
}

function none() {
  return { TEMPORAL_CONFIG_FILE: join(folder, 'none.toml') };
}

function start({ client }: ReturnType<typeof openTemporalLink>, words: string) {
  started += 1;
  const workflowId = `echo-${started}`;
  return client.workflow.start<typeof EchoWorkflow>('EchoWorkflow', { workflowId, taskQueue, args: [words] });
}

/** Answers every call as Temporal answers a key that it does not know. */
async function refusingServer(seen: string[]): Promise<Http2SecureServer> {
  const stub = createSecureServer({
    cert: readFileSync(certificates.serverCert),
    key: readFileSync(certificates.serverKey),
  });
  stub.on('stream', (stream, headers) => {
    if (headers.authorization !== undefined) seen.push(headers.authorization);
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '16' },
      { endStream: true },
    );
  });
  stub.listen(0, '127.0.0.1');
  await once(stub, 'listening');
  return stub;
}
