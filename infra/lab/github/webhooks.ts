import { createHmac, randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';

import type { FaultQueue } from './faults.ts';
import type { Lab } from './lab.ts';
import { pullShape, repositoryShape, userShape } from './shapes.ts';
import type { LabDelivery, LabHook, LabRepository, LabUser } from './state.ts';

const answerLimitMs = 10_000;
const keptDeliveries = 200;

export interface Webhooks {
  redeliver(repository: LabRepository, hook: LabHook, delivery: LabDelivery): void;
  /** Waits for what is under way. */
  close(): Promise<void>;
}

/** Signs and delivers events to the hooks of a repository, each hook's in order, once, as GitHub does. */
export function startWebhooks(lab: Lab, faults: FaultQueue): Webhooks {
  const closing = new AbortController();
  const queues = new Map<number, Promise<void>>();

  const enqueue = (repository: LabRepository, hook: LabHook, delivery: LabDelivery): void => {
    const before = queues.get(hook.id) ?? Promise.resolve();
    queues.set(
      hook.id,
      before.then(() => deliver(repository, hook, delivery)),
    );
  };

  const deliver = async (repository: LabRepository, hook: LabHook, delivery: LabDelivery): Promise<void> => {
    const fault = faults.take(`WEBHOOK ${delivery.event}`);
    if (closing.signal.aborted || fault?.kind === 'drop') return;
    if (fault?.kind === 'delay') await wait(fault.delayMs, undefined, { ref: false });
    delivery.statusCode = await post(hook, delivery, closing.signal);
    if (fault?.kind === 'duplicate') await post(hook, delivery, closing.signal);
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
      await Promise.all(queues.values());
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
