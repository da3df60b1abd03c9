import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { z } from 'zod';

/**
 * What can be made to go wrong, for the next `count` requests whose `METHOD /path` fits `route` (`*` fits anything;
 * `/api/v3` is left out; deliveries of hooks are called `WEBHOOK <event>`): the connection is cut before anything is done
 * (`drop`), the answer comes late, the work is done and then answered by 500 or by a cut connection, half the answer
 * comes, a page says 429, a limit is met (`rate-limit` is the secondary one), a gateway's page says 502 or 504, the text
 * comes bit by bit over `delayMs` (`slow`), or the given status is answered.
 */
export const Fault = z.strictObject({
  route: z.string().default('*'),
  kind: z.enum([
    'drop',
    'delay',
    'commit-then-500',
    'commit-then-drop',
    'cut',
    'html-429',
    'html-200',
    'rate-limit',
    'primary-limit',
    'bad-gateway',
    'gateway-timeout',
    'slow',
    'status',
    'duplicate',
  ]),
  count: z.int().min(1).default(1),
  /** Each request with this chance, drawn from `seed`, until the fault is taken away; then `count` says nothing. */
  rate: z.number().gt(0).max(1).optional(),
  seed: z.int().default(1),
  delayMs: z.int().min(0).default(2000),
  /** Of `status`. */
  status: z.int().min(400).max(599).default(500),
  /** Of the limits and of `status`: what `retry-after` says; of `primary-limit` when the limit is over. */
  retryAfterSeconds: z.int().min(0).optional(),
});
export type Fault = z.infer<typeof Fault>;

export interface FaultQueue {
  add(fault: z.input<typeof Fault>): Fault;
  clear(): void;
  list(): readonly Fault[];
  /** The fault for this request, counted down; undefined when all is well. */
  take(name: string): Fault | undefined;
}

export function createFaultQueue(): FaultQueue {
  let faults: { fault: Fault; left: number; draw: () => number }[] = [];
  return {
    add(input) {
      const fault = Fault.parse(input);
      const generator = xoroshiro128plus(fault.seed);
      const draw = (): number => uniformFloat64(generator);
      faults.push({ fault, left: fault.count, draw });
      return fault;
    },
    clear: () => {
      faults = [];
    },
    list: () => faults.map(({ fault, left }) => ({ ...fault, count: left })),
    take(name) {
      const found = faults.find(
        ({ fault, draw }) => fits(fault.route, name) && (fault.rate === undefined || draw() < fault.rate),
      );
      if (found === undefined) return undefined;
      if (found.fault.rate === undefined) found.left -= 1;
      faults = faults.filter(({ left }) => left > 0);
      return found.fault;
    },
  };
}

function fits(route: string, name: string): boolean {
  const pattern = route
    .split('*')
    .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`))
    .join('.*');
  return new RegExp(`^${pattern}$`, 'i').test(name);
}
