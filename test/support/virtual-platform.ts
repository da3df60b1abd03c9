import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

import { seeVirtualJob, type VirtualJob, type VirtualSight } from '../bench/qizhi/virtual-job.ts';

export interface VirtualPlatformOptions {
  readonly job: VirtualJob;
  /** When nothing answers but the gateway in front, with its page; ms since the job was created. */
  readonly outages: readonly { readonly fromMs: number; readonly toMs: number }[];
  readonly tokenLifetimeMs: number;
  /** When the platform forgets every token that it gave out before; ms since the job was created. */
  readonly forgetsTokensAtMs: number;
}

/** The platform by the clock of this process: logins that last, one job, and hours in which nothing answers. */
export interface VirtualPlatform {
  readonly url: string;
  /** How many requests were answered how. */
  readonly counts: { token: number; create: number; detail: number; outage: number; expired: number };
  /** What both witnesses would truthfully say now. */
  see(): VirtualSight;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

export async function startVirtualPlatform(options: VirtualPlatformOptions): Promise<VirtualPlatform> {
  const { job, outages, tokenLifetimeMs, forgetsTokensAtMs } = options;
  const counts = { token: 0, create: 0, detail: 0, outage: 0, expired: 0 };
  const issuedAt = new Map<string, number>();
  let createdAt: number | null = null;
  const ageMs = (): number => (createdAt === null ? 0 : Date.now() - createdAt);
  const see = (): VirtualSight => seeVirtualJob(job, createdAt ?? Date.now(), Date.now());

  function isValid(token: string): boolean {
    const issued = issuedAt.get(token) ?? -Infinity;
    const forgotten =
      createdAt !== null && ageMs() >= forgetsTokensAtMs && issued < createdAt + forgetsTokensAtMs;
    return !forgotten && Date.now() - issued <= tokenLifetimeMs;
  }

  function answer(path: string, authorization: string): Answer {
    if (outages.some(({ fromMs, toMs }) => ageMs() >= fromMs && ageMs() < toMs)) {
      counts.outage += 1;
      return { status: 502, body: '<html><h1>502 Bad Gateway</h1></html>' };
    }
    if (path === '/auth/token') {
      counts.token += 1;
      const token = `token-${counts.token}`;
      issuedAt.set(token, Date.now());
      return enveloped(0, { access_token: token, expires_in: String(tokenLifetimeMs / 1000) });
    }
    if (!isValid(authorization.replace('Bearer ', ''))) {
      counts.expired += 1;
      return enveloped(-1, null);
    }
    if (path === '/openapi/v1/train_job/create') {
      counts.create += 1;
      createdAt ??= Date.now();
      return enveloped(0, { job_id: job.jobId });
    }
    counts.detail += 1;
    return enveloped(0, detailOf(job, see()));
  }

  const server = createServer((request, response) => {
    const answering = async (): Promise<void> => {
      await text(request);
      const { status, body } = answer(request.url ?? '', request.headers.authorization ?? '');
      response.writeHead(status, { 'content-type': body.startsWith('{') ? 'application/json' : 'text/html' });
      response.end(body);
    };
    answering().catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    see,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}

function detailOf({ gpus }: VirtualJob, { observation }: VirtualSight): object {
  return {
    job_id: observation.jobId,
    status: observation.rawStatus,
    sub_msg: observation.reason,
    running_time_ms: String(observation.runningMs),
    current_running_round: observation.round,
    framework_config: [{ instance_count: 1, gpu_count: gpus }],
  };
}

function enveloped(code: number, data: unknown): Answer {
  const message = code === 0 ? 'success' : 'token is expired';
  return { status: 200, body: JSON.stringify({ code, message, data }) };
}
