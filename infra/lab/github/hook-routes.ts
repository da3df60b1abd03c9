import { z } from 'zod';

import type { Lab } from './lab.ts';
import { notFound } from './refusal.ts';
import { type Call, readBody, type Route } from './router.ts';
import type { LabDelivery, LabHook, LabRepository } from './state.ts';
import type { Webhooks } from './webhooks.ts';

const NewHook = z.object({
  config: z.object({ url: z.url(), secret: z.string().default(''), content_type: z.literal('json') }),
  events: z.array(z.string()).default(['push']),
  active: z.boolean().default(true),
});

/** Hooks of a repository and what was delivered to them. */
export function addHookRoutes(route: Route, lab: Lab, webhooks: Webhooks): void {
  route('GET', '/hooks', 'admin', async ({ repository }) =>
    repository.hooks.map((hook) => hookShape(lab, repository, hook)),
  );

  route('POST', '/hooks', 'admin', async ({ repository, body, reply, user }) => {
    const { config, events, active } = readBody(NewHook, body, 'Hook');
    const hook = addHook(lab, repository, { url: config.url, secret: config.secret, events, active });
    lab.announce(repository, 'ping', { zen: 'Keep it logically awesome.', hook_id: hook.id }, user);
    return reply.code(201).send(hookShape(lab, repository, hook));
  });

  route('DELETE', '/hooks/:id', 'admin', async (call) => {
    const hook = hookOf(call);
    call.repository.hooks = call.repository.hooks.filter((one) => one !== hook);
    return call.reply.code(204).send();
  });

  route('GET', '/hooks/:id/deliveries', 'admin', async (call) =>
    hookOf(call)
      .deliveries.toReversed()
      .map((delivery) => deliveryShape(call.repository, delivery)),
  );

  route('POST', '/hooks/:id/deliveries/:delivery/attempts', 'admin', async (call) => {
    const hook = hookOf(call);
    const delivery = hook.deliveries.find(({ id }) => id === Number(call.params['delivery']));
    if (delivery === undefined) throw notFound();
    webhooks.redeliver(call.repository, hook, delivery);
    return call.reply.code(202).send({});
  });
}

/** A second hook to the same address takes the first one's place. */
export function addHook(
  lab: Lab,
  repository: LabRepository,
  wanted: Pick<LabHook, 'url' | 'secret' | 'events' | 'active'>,
): LabHook {
  const hook: LabHook = { ...wanted, id: lab.nextId(), deliveries: [] };
  repository.hooks = [...repository.hooks.filter(({ url }) => url !== wanted.url), hook];
  return hook;
}

function hookOf({ repository, params }: Call): LabHook {
  const hook = repository.hooks.find(({ id }) => id === Number(params['id']));
  if (hook === undefined) throw notFound();
  return hook;
}

function hookShape(
  lab: Lab,
  { owner, name, createdAt }: LabRepository,
  { id, url, events, active }: LabHook,
): object {
  const at = `${lab.url}/repos/${owner}/${name}/hooks/${id}`;
  return {
    url: at,
    test_url: `${at}/test`,
    ping_url: `${at}/pings`,
    deliveries_url: `${at}/deliveries`,
    created_at: createdAt,
    updated_at: createdAt,
    last_response: { code: null, status: 'unused', message: null },
    id,
    type: 'Repository',
    name: 'web',
    active,
    events,
    config: { url, content_type: 'json', insecure_ssl: '0', secret: '********' },
  };
}

function deliveryShape(
  repository: LabRepository,
  { id, guid, event, action, at, redelivery, statusCode }: LabDelivery,
): object {
  const status = statusCode >= 200 && statusCode < 300 ? 'OK' : 'failed';
  return {
    id,
    guid,
    event,
    action,
    delivered_at: at,
    redelivery,
    duration: 0.1,
    status,
    status_code: statusCode,
    installation_id: null,
    repository_id: repository.id,
  };
}
