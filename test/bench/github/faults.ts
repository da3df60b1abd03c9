import { z } from 'zod';

import type { GithubStandIn } from '../../../infra/lab/github/start-github-stand-in.ts';

/** Everything that a network, a gateway or a limit has been seen to do to a request, each as likely as the others. */
const kinds = [
  { kind: 'drop' },
  { kind: 'bad-gateway' },
  { kind: 'gateway-timeout' },
  { kind: 'html-429' },
  { kind: 'html-200' },
  { kind: 'rate-limit' },
  { kind: 'primary-limit' },
  { kind: 'commit-then-500' },
  { kind: 'commit-then-drop' },
  { kind: 'cut' },
  { kind: 'slow', delayMs: 400 },
] as const;

/** Share of the requests that meets a fault of any kind. */
const faultRate = 0.05;
/** Share of the deliveries to which each of these happens. */
const webhooks = { drop: 0.2, duplicate: 0.2, reorder: 0.2, delayMs: 1000 };

const Counts = z.object({ counts: z.record(z.string(), z.number()) });
const Stats = z.object({ requests: z.number(), faulty: z.number(), notModified: z.number() });

export interface Trouble {
  /** From now on all goes well, for whoever compares. */
  end(): Promise<void>;
  met(): Promise<Readonly<Record<string, number>>>;
}

export async function makeTrouble({ faults, url }: GithubStandIn, seed: number): Promise<Trouble> {
  const ask = async (method: string, path: string, body?: object): Promise<unknown> => {
    const answer = await fetch(`${url}/_lab/${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path} was answered ${answer.status}`);
    return answer.status === 204 ? null : answer.json();
  };
  // Thousands of experiments through one account in minutes: the limit itself is met by its fault.
  await ask('PUT', 'rate', { limit: 100_000_000 });
  await ask('PUT', 'webhooks', { ...webhooks, seed });
  for (const [index, fault] of kinds.entries()) {
    for (const [place, route] of ['GET /repos/*', 'POST *', 'PATCH *', 'PUT *', 'DELETE *'].entries()) {
      faults.add({ ...fault, route, rate: faultRate / kinds.length, seed: seed * 1000 + index * 10 + place });
    }
  }
  return {
    end: async () => {
      faults.clear();
      await ask('DELETE', 'webhooks');
    },
    met: async () => {
      const { requests, faulty, notModified } = Stats.parse(await ask('GET', 'stats'));
      const { counts } = Counts.parse(await ask('GET', 'webhooks'));
      const told = Object.entries(counts).map(([what, count]) => [`webhooks ${what}`, count]);
      return { requests, 'not modified': notModified, faulty, ...Object.fromEntries(told) };
    },
  };
}
