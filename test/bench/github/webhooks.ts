import { createHmac, randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';

import * as fc from 'fast-check';
import { pino } from 'pino';

import { createWebhookServer } from '../../../client/webhook/create-webhook-server.ts';
import { quickPolicy } from '../../support/temporal-environment.ts';

const secret = 'bench-webhook-secret';
const aimMs = 100;
const inFlight = 8;
const batch = 1000;
/** So many senders, each by an address of its own, that the limit for the unsigned is not all that answers. */
const senders = 4000;

interface Shot {
  readonly body: Buffer;
  readonly headers: Record<string, string>;
}

/**
 * Sends bodies of every shape over real HTTP, most of them without the secret: none may crash the server or reach Temporal
 * without a valid signature. Returns whether that held, and the 99th percentile of the answers is within the aim.
 */
export async function benchWebhooks(bodies: number, say: (line: string) => void): Promise<boolean> {
  const reached = { signed: 0, unsigned: 0 };
  let current: 'signed' | 'unsigned' = 'unsigned';
  const note = async (): Promise<void> => void (reached[current] += 1);
  const server = createWebhookServer({
    secret,
    policy: quickPolicy,
    log: pino({ level: 'silent' }),
    perMinute: { unsigned: 60, signed: 10_000_000 },
    experiments: {
      nudge: note,
      invite: note,
      ping: async () => undefined,
      findByPullRequest: async () => ['found'],
    },
  });
  const url = new URL(await server.listen({ host: '127.0.0.1', port: 0 }));
  const statuses = new Map<number, number>();
  const times: number[] = [];
  // One kind after the other, so that whatever reaches Temporal is known to be of that kind.
  for (const signed of [false, true]) {
    current = signed ? 'signed' : 'unsigned';
    const count = signed ? Math.floor(bodies / 5) : Math.ceil((bodies * 4) / 5);
    await send(count, signed, async (shot, sender) => {
      const begun = performance.now();
      const status = await post(url, shot, sender);
      times.push(performance.now() - begun);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    });
  }
  await server.close();
  const p99 = percentile(times, 0.99);
  const answers = [...statuses]
    .toSorted(([a], [b]) => a - b)
    .map(([status, count]) => `${count} × ${status}`);
  const crashed = (statuses.get(500) ?? 0) + (statuses.get(0) ?? 0);
  say(`${times.length} bodies: ${answers.join(', ')}; ${crashed} crashed or unanswered (aim: 0)`);
  say(`${reached.unsigned} without a valid signature reached Temporal (aim: 0), ${reached.signed} with one`);
  say(
    `answered within ${percentile(times, 0.5).toFixed(1)} ms (median), ${p99.toFixed(1)} ms (99th percentile, aim: ${aimMs}), with ${inFlight} at one time`,
  );
  return crashed === 0 && reached.unsigned === 0 && reached.signed > 0 && p99 < aimMs;
}

/** Drawn before they are sent, a batch at a time: what drawing costs must not be measured as answering. */
async function send(
  count: number,
  signed: boolean,
  act: (shot: Shot, sender: number) => Promise<void>,
): Promise<void> {
  let sender = 0;
  for (let left = count; left > 0; left -= batch) {
    const shots = fc.sample(anyShot, Math.min(left, batch)).map((drawn) => toShot(drawn, signed));
    await Promise.all(
      Array.from({ length: inFlight }, async () => {
        for (let shot = shots.pop(); shot !== undefined; shot = shots.pop()) {
          sender = (sender + 1) % senders;
          await act(shot, sender);
        }
      }),
    );
  }
}

const agents = new Map<string, Agent>();

/** The status of the answer; 0 when there was none. Every 127.x.y.z is this machine. */
async function post(url: URL, { body, headers }: Shot, sender: number): Promise<number> {
  const localAddress = `127.1.${sender >> 8}.${sender & 255 || 1}`;
  const agent = agents.get(localAddress) ?? new Agent({ localAddress, keepAlive: false });
  agents.set(localAddress, agent);
  return new Promise((resolve) => {
    const sent = request(new URL('/webhooks/github', url), { method: 'POST', agent, headers }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode ?? 0));
      answer.on('error', () => resolve(0));
    });
    sent.on('error', () => resolve(0));
    sent.end(body);
  });
}

const events = [
  'issue_comment',
  'pull_request',
  'check_run',
  'check_suite',
  'status',
  'push',
  'star',
  '__proto__',
];

const words = fc.constantFrom(
  'hephaestus/warmup',
  'main',
  'lab/digits',
  'created',
  'opened',
  'closed',
  '/hephaestus merge',
  '',
);
const keys = fc.constantFrom(
  'action',
  'repository',
  'full_name',
  'issue',
  'number',
  'pull_request',
  'comment',
  'body',
  'head',
  'ref',
  'repo',

  'check_run',
  'check_suite',
  'pull_requests',
  'branches',
  'name',
  'toString',
  'constructor',
  'user',
  'type',
);
const { payload } = fc.letrec((tie) => ({
  payload: fc.oneof(
    { maxDepth: 5 },
    fc.oneof(words, fc.string(), fc.integer(), fc.constant(null), fc.boolean()),
    fc.array(tie('payload'), { maxLength: 4 }),
    fc.dictionary(keys, tie('payload'), { maxKeys: 8 }),
  ),
}));
const name = fc.oneof({ weight: 3, arbitrary: fc.constant('lab/digits') }, { weight: 1, arbitrary: words });
const real = fc.record({
  action: fc.constantFrom('created', 'opened', 'closed', 'synchronize', 'edited'),
  repository: fc.record({ full_name: name }),
  issue: fc.record({ number: fc.integer({ min: 0, max: 9 }), pull_request: fc.constant({}) }),
  comment: fc.record({
    body: fc.constantFrom('/hephaestus merge', 'Good.\n/hephaestus stop', 'talk'),
    user: fc.record({ type: fc.constantFrom('User', 'Bot') }),
  }),
  pull_request: fc.record({
    number: fc.integer({ min: 0, max: 9 }),
    head: fc.record({ ref: words, repo: fc.record({ full_name: name }) }),
  }),
});
const anyShot = fc.record({
  event: fc.constantFrom(...events),
  delivery: fc.oneof(fc.uuid(), fc.constantFrom('', 'a b', 'x'.repeat(200))),
  body: fc.oneof(
    { weight: 4, arbitrary: real.map((value) => Buffer.from(JSON.stringify(value))) },
    { weight: 4, arbitrary: payload.map((value) => Buffer.from(JSON.stringify(value) ?? 'null')) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)) },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom('', '{', '[[[['.repeat(500), '{"a":'.repeat(2000))
        .map((text) => Buffer.from(text)),
    },
  ),
  mistake: fc.constantFrom('none', 'another secret', 'cut', 'sha1', 'of other bytes', 'word'),
});

type Drawn = typeof anyShot extends fc.Arbitrary<infer T> ? T : never;

function toShot({ event, delivery, body, mistake }: Drawn, signed: boolean): Shot {
  const right = hmac(secret, body);
  const wrong = {
    none: undefined,
    'another secret': hmac(randomBytes(8).toString('hex'), body),
    cut: right.slice(0, 30),
    sha1: `sha1=${'0'.repeat(40)}`,
    'of other bytes': hmac(secret, Buffer.concat([body, Buffer.from(' ')])),
    word: 'sha256=none',
  }[mistake];
  const signature = signed ? right : wrong;
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'content-length': String(body.length),
  };
  if (event !== '') headers['x-github-event'] = event;
  if (delivery !== '') headers['x-github-delivery'] = delivery;
  if (signature !== undefined) headers['x-hub-signature-256'] = signature;
  return { body, headers };
}

function hmac(key: string, body: Buffer): string {
  return `sha256=${createHmac('sha256', key).update(body).digest('hex')}`;
}

function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}
