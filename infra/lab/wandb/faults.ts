import { z } from 'zod';

/** A fault that is asked for by `POST /_lab/faults`; it answers `times` requests and is gone. */
export const Fault = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('status'),
    on: z.enum(['graphql', 'file_stream', 'upload']),
    /** GraphQL operation name; any when it is not given. */
    operation: z.string().optional(),
    status: z.int().min(400).max(599),
    retryAfterSeconds: z.number().min(0).optional(),
    /** What the answer says; JSON unless it begins with "<". */
    body: z.string().default('{"errors":[{"message":"fault asked for"}]}'),
    times: z.int().min(1).default(1),
  }),
  z.strictObject({
    kind: z.literal('drop'),
    on: z.enum(['graphql', 'file_stream', 'upload']),
    operation: z.string().optional(),
    /** True: the request is carried out and only its answer is lost. */
    afterwards: z.boolean().default(false),
    times: z.int().min(1).default(1),
  }),
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
export type Fault = z.infer<typeof Fault>;
export type RequestFault = Extract<Fault, { kind: 'status' | 'drop' }>;
export type FaultPlace = RequestFault['on'];

/** The faults that wait for their request. */
export class Faults {
  readonly #waiting: { fault: RequestFault; left: number }[] = [];
  lateCountMs = 0;

  add(fault: RequestFault): void {
    this.#waiting.push({ fault, left: fault.times });
  }

  clear(): void {
    this.#waiting.length = 0;
    this.lateCountMs = 0;
  }

  /** The fault for this request, used up by asking. */
  take(place: FaultPlace, operation: string | undefined): RequestFault | undefined {
    const found = this.#waiting.find(
      ({ fault, left }) =>
        left > 0 && fault.on === place && (fault.operation === undefined || fault.operation === operation),
    );
    if (found === undefined) return undefined;
    found.left -= 1;
    return found.fault;
  }
}
