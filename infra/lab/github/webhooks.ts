import { createHmac, randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';

import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { z } from 'zod';

import type { FaultQueue } from './faults.ts';
import type { Lab } from './lab.ts';
import { repositoryShape } from './repository-shape.ts';
import { pullShape } from './pull-shape.ts';
import { userShape } from './user-shape.ts';
import type { LabDelivery, LabHook, LabRepository, LabUser } from './state.ts';

const answerLimitMs = 10_000;
const keptDeliveries = 50;

const chance = z.number().min(0).max(1).default(0);

/** What lasts, of deliveries that go wrong; drawn from `seed`. */
export const WebhookSettings = z.strictObject({
  /** Never sent, as when nobody answers: GitHub does not try again either. */
  drop: chance,
  /** Sent twice under one delivery id. */
  duplicate: chance,
  /** Sent later than what comes after it. */
  reorder: chance,
  /** Every delivery waits for up to this long. */
  delayMs: z.int().min(0).max(600_000).default(0),
  seed: z.int().default(1),
});
export type WebhookSettings = z.infer<typeof WebhookSettings>;

/** For how long a delivery that comes out of order stays back, ms. */
const overtakenMs = 500;

export interface Webhooks {
  readonly settings: WebhookSettings;
  /** What was done to deliveries so far. */
  readonly counts: Readonly<Record<'sent' | 'dropped' | 'duplicated' | 'reordered', number>>;
  set(settings: WebhookSettings): void;
  redeliver(repository: LabRepository, hook: LabHook, delivery: LabDelivery): void;
  /** Waits for what is under way. */
  close(): Promise<void>;
}

/** Signs and delivers events to the hooks of a repository: each hook's in order and once, unless the settings say else. */
export function startWebhooks(lab: Lab, faults: FaultQueue): Webhooks {
  const closing = new AbortController();
  const queues = new Map<number, Promise<void>>();
  const overtaken = new Set<Promise<void>>();
  const counts = { sent: 0, dropped: 0, duplicated: 0, reordered: 0 };
  let settings = WebhookSettings.parse({});
  let generator = xoroshiro128plus(settings.seed);
  const draw = (): number => uniformFloat64(generator);

  const enqueue = (repository: LabRepository, hook: LabHook, delivery: LabDelivery): void => {
    if (draw() < settings.reorder) {
      counts.reordered += 1;
      const late = wait(overtakenMs * (1 + draw()), undefined, { ref: false })
        .then(() => deliver(repository, hook, delivery))
        .finally(() => overtaken.delete(late));
      overtaken.add(late);
      return;
    }
    const before = queues.get(hook.id) ?? Promise.resolve();
    queues.set(
      hook.id,
      before.then(() => deliver(repository, hook, delivery)),
    );
  };

  const deliver = async (repository: LabRepository, hook: LabHook, delivery: LabDelivery): Promise<void> => {
    const fault = faults.take(`WEBHOOK ${delivery.event}`);
    if (closing.signal.aborted) return;
    if (fault?.kind === 'drop' || draw() < settings.drop) {
      counts.dropped += 1;
      return;
    }
    const delayMs = fault?.kind === 'delay' ? fault.delayMs : settings.delayMs * draw();
    if (delayMs > 0) await wait(delayMs, undefined, { ref: false });
    // A hook is told of nothing that a stand-in that is killed would not know of any more.
    lab.save();
    await lab.saved();
    delivery.statusCode = await post(hook, delivery, closing.signal);
    counts.sent += 1;
    if (fault?.kind === 'duplicate' || draw() < settings.duplicate) {
      counts.duplicated += 1;
      await post(hook, delivery, closing.signal);
    }
    hook.deliveries = [...hook.deliveries, delivery].slice(-keptDeliveries);
    if (repository.hooks.includes(hook)) lab.save();
  };

  lab.announce = (repository, event, payload, sender) => {
    const whole = {
      ...payload,
      repository: repositoryShape(lab, repository),
      sender: userShape(lab, sender),
    };
    for (const hook of repository.hooks) {
      if (!hook.active || !(hook.events.includes(event) || hook.events.includes('*'))) continue;
      enqueue(repository, hook, newDelivery(lab, event, whole));
    }
  };
  lab.announcePull = (repository, pull, action, sender: LabUser, more = {}) => {
    const shape = pullShape(lab, repository, pull, true);
    lab.announce(
      repository,
      'pull_request',
      { action, number: pull.number, pull_request: shape, ...more },
      sender,
    );
  };
  return {
    get settings() {
      return settings;
    },
    counts,
    set(next) {
      settings = next;
      generator = xoroshiro128plus(next.seed);
    },
    redeliver: (repository, hook, delivery) =>
      enqueue(repository, hook, {
        ...delivery,
        id: lab.nextId(),
        at: lab.now(),
        redelivery: true,
        statusCode: 0,
      }),
    async close() {
      closing.abort();
      await Promise.all([...queues.values(), ...overtaken]);
    },
  };
}

function newDelivery(lab: Lab, event: string, payload: object): LabDelivery {
  return {
    id: lab.nextId(),
    guid: randomUUID(),
    event,
    action: 'action' in payload ? String(payload.action) : null,
    at: lab.now(),
    redelivery: false,
    statusCode: 0,
    payload: JSON.stringify(payload),
  };
}

/** The status of the answer; 0 when there was none. GitHub does not try again either. */
async function post(
  hook: LabHook,
  { event, guid, payload }: LabDelivery,
  closing: AbortSignal,
): Promise<number> {
  const signature = createHmac('sha256', hook.secret).update(payload).digest('hex');
  try {
    const answer = await fetch(hook.url, {
      method: 'POST',
      body: payload,
      signal: AbortSignal.any([closing, AbortSignal.timeout(answerLimitMs)]),
      headers: {
        'content-type': 'application/json',
        'user-agent': 'GitHub-Hookshot/lab',
        'x-github-event': event,
        'x-github-delivery': guid,
        'x-github-hook-id': String(hook.id),
        'x-github-hook-installation-target-type': 'repository',
        'x-hub-signature-256': `sha256=${signature}`,
      },
    });
    await answer.arrayBuffer();
    return answer.status;
  } catch (error) {
    if (error instanceof Error) return 0;
    throw error;
  }
}
