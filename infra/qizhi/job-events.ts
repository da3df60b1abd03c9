import { z } from 'zod';

import { looseNumber } from './job-detail.ts';

const JobEvent = z.object({
  reason: z.string().catch(''),
  message: z.string().catch(''),
  first_timestamp: z.unknown().optional(),
  last_timestamp: z.unknown().optional(),
});
type JobEvent = z.infer<typeof JobEvent>;

/** One page of the answer to `ListJobEvents`, under either name that lists have on the platform. */
export const JobEvents = z
  .object({
    events: z.array(JobEvent).optional(),
    items: z.array(JobEvent).optional(),
    total: looseNumber,
  })
  .refine(({ events, items }) => (events ?? items) !== undefined)
  .transform(({ events, items, total }) => ({ events: events ?? items ?? [], total }));

/** What the events of one job tell beyond its status. */
export interface Explanation {
  /** The newest event in the platform's words, '' when there is none. */
  readonly reason: string;
  /** It was taken off its nodes, and has not been started again since. */
  readonly evicted: boolean;
}

const evictions = new Set(['Evict', 'Evicted', 'Preempted']);
const started = 'Started';

/** The order in which the events come does not matter. */
export function explain(events: readonly JobEvent[]): Explanation {
  // Of two at one moment the later in the list is the newer one.
  const inOrder = events.toSorted((one, other) => timeOf(one) - timeOf(other));
  const newest = inOrder.at(-1);
  const lastEviction = inOrder.findLastIndex(({ reason }) => evictions.has(reason));
  return {
    reason: newest === undefined ? '' : [newest.reason, newest.message].filter(Boolean).join(': '),
    evicted: lastEviction > inOrder.findLastIndex(({ reason }) => reason === started),
  };
}

/** Epoch ms as a number or a string, or an ISO 8601 time. */
function timeOf({ last_timestamp: last, first_timestamp: first }: JobEvent): number {
  return toMs(last) ?? toMs(first) ?? 0;
}

function toMs(value: unknown): number | undefined {
  const number = looseNumber.parse(value);
  if (number !== undefined) return number;
  const parsed = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(parsed) ? undefined : parsed;
}
