import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { z } from 'zod';

/** What the server can be asked. `download` is reading a file, `upload` writing one. */
export const places = ['graphql', 'file_stream', 'upload', 'download'] as const;
export type Place = (typeof places)[number];

const common = {
  on: z.enum([...places, 'any']),
  /** GraphQL operation name, such as `UpsertBucket`; any when it is not given. */
  operation: z.string().optional(),
  /** Only requests whose address contains this text, for example a run id. GraphQL addresses name no run. */
  path: z.string().optional(),
  /** How many requests meet it; 1 when it is not given, no end when `rate` is. */
  times: z.int().min(1).optional(),
  /** The chance of each request to meet it, drawn from `seed`: the same requests in the same order meet the same. */
  rate: z.number().min(0).max(1).optional(),
  seed: z.int().default(1),
};

/** A fault that a request meets: for the next `times` requests of one kind, or by chance. */
export const Fault = z.discriminatedUnion('kind', [
  /** Refuses by a status of HTTP, with nothing done. */
  z.strictObject({
    kind: z.literal('status'),
    ...common,
    status: z.int().min(400).max(599),
    retryAfterSeconds: z.number().min(0).optional(),
    /** Sent as `RateLimit-Remaining: 0` and `RateLimit-Reset`. */
    rateLimitResetSeconds: z.number().min(0).optional(),
    /** What the answer says; JSON unless it begins with "<". */
    body: z.string().default('{"errors":[{"message":"fault asked for"}]}'),
  }),
  /** Answers 200 with errors of GraphQL and no data, with nothing done. */
  z.strictObject({
    kind: z.literal('graphql-error'),
    ...common,
    on: z.literal('graphql').default('graphql'),
    message: z.string().default('fault asked for'),
    /** As in `extensions.code`, for example `PERMISSION_ERROR`. */
    code: z.string().optional(),
  }),
  /** Cuts the connection; with `afterwards` the request is carried out and only its answer is lost. */
  z.strictObject({ kind: z.literal('drop'), ...common, afterwards: z.boolean().default(false) }),
  /** Carries the request out `delayMs` later, or with `afterwards` at once and answers later. */
  z.strictObject({
    kind: z.literal('delay'),
    ...common,
    delayMs: z.int().min(1).max(600_000),
    afterwards: z.boolean().default(false),
  }),
  /** Answers 200 with the first half of the text that it would have been; the request is carried out. */
  z.strictObject({ kind: z.literal('half'), ...common }),
]);
export type Fault = z.infer<typeof Fault>;

export interface Asked {
  readonly place: Place;
  readonly operation: string | undefined;
  readonly path: string;
}

interface Waiting {
  readonly fault: Fault;
  readonly hits: () => boolean;
  left: number;
  met: number;
}

/** The faults that wait for their requests. */
export class Faults {
  #waiting: Waiting[] = [];

  add(fault: Fault): void {
    const generator = xoroshiro128plus(fault.seed);
    this.#waiting.push({
      fault,
      hits: () => fault.rate === undefined || uniformFloat64(generator) < fault.rate,
      left: fault.times ?? (fault.rate === undefined ? 1 : Infinity),
      met: 0,
    });
  }

  clear(): void {
    this.#waiting = [];
  }

  /** Those that are still in force, with how often each has been met. */
  list(): readonly object[] {
    return this.#waiting.map(({ fault, left, met }) => ({
      ...fault,
      met,
      ...(left !== Infinity && { times: left }),
    }));
  }

  /** The fault for this request, used up by asking. */
  take(asked: Asked): Fault | undefined {
    const found = this.#waiting.find(({ fault, hits }) => fits(fault, asked) && hits());
    if (found === undefined) return undefined;
    found.left -= 1;
    found.met += 1;
    this.#waiting = this.#waiting.filter(({ left }) => left > 0);
    return found.fault;
  }
}

function fits({ on, operation, path }: Fault, asked: Asked): boolean {
  return (
    (on === 'any' || on === asked.place) &&
    (operation === undefined || operation === asked.operation) &&
    (path === undefined || asked.path.includes(path))
  );
}
