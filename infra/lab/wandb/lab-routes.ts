import type { FastifyInstance } from 'fastify';
import { z } from 'zod';

import { Fault, type Faults } from './faults.ts';
import { requestJson } from './request-json.ts';
import type { RunStore } from './run-store.ts';
import { Settings, SettingsChange } from './settings.ts';
import type { Stats } from './stats.ts';

/** What happens at once, asked for at the same address as faults. */
const Deed = z.discriminatedUnion('kind', [
  /** Row counts are told this many seconds late, as the real server does. */
  z.strictObject({ kind: z.literal('late-count'), seconds: z.number().min(0) }),
  /** The run was deleted: its id can never be used again. */
  z.strictObject({
    kind: z.literal('delete-run'),
    entity: z.string(),
    project: z.string(),
    runId: z.string(),
  }),
]);

const Wish = z.union([Fault, Deed]);

/** The settings that hold now. */
export interface SettingsHolder {
  current: Settings;
}

/** What tests and demonstrations ask of the stand-in itself. */
export function addLabRoutes(
  server: FastifyInstance,
  parts: {
    readonly store: RunStore;
    readonly faults: Faults;
    readonly stats: Stats;
    readonly settings: SettingsHolder;
  },
): void {
  const { store, faults, stats, settings } = parts;
  server.get('/_lab/faults', async () => faults.list());
  server.post('/_lab/faults', async (request, reply) => {
    const body = z.union([z.array(Wish), Wish.transform((wish) => [wish])]).safeParse(requestJson(request));
    if (!body.success) return reply.code(400).send({ error: z.prettifyError(body.error) });
    for (const wish of body.data) {
      if (wish.kind === 'late-count')
        settings.current = { ...settings.current, lateCountSeconds: wish.seconds };
      else if (wish.kind === 'delete-run') {
        const { run } = await store.findOrCreate(wish);
        await store.update(run, { deleted: true });
      } else faults.add(wish);
    }
    return reply.code(204).send();
  });
  server.delete('/_lab/faults', async (_request, reply) => {
    faults.clear();
    settings.current = { ...settings.current, lateCountSeconds: 0 };
    return reply.code(204).send();
  });

  server.get('/_lab/settings', async () => settings.current);
  server.put('/_lab/settings', async (request, reply) => {
    const change = SettingsChange.safeParse(requestJson(request));
    if (!change.success) return reply.code(400).send({ error: z.prettifyError(change.error) });
    settings.current = Settings.parse({ ...settings.current, ...change.data });
    return settings.current;
  });
  server.delete('/_lab/settings', async () => {
    settings.current = Settings.parse({});
    return settings.current;
  });

  server.get('/_lab/stats', async () => stats.read());
  server.delete('/_lab/stats', async (_request, reply) => {
    stats.clear();
    return reply.code(204).send();
  });
}
