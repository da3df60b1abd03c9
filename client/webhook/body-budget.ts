import type { FastifyRequest } from 'fastify';

/** How many bytes of bodies are being read at one time; whoever sends large ones slowly must not fill the memory. */
export interface BodyBudget {
  /** Takes what the request says that it sends (`largest` when it does not say); false when there is no room. */
  take(request: FastifyRequest): boolean;
  /** Gives it back; once is enough. */
  release(request: FastifyRequest): void;
}

export function createBodyBudget(total: number, largest: number): BodyBudget {
  const taken = new WeakMap<FastifyRequest, number>();
  let used = 0;
  return {
    take(request) {
      const size = bodyLength(request) ?? largest;
      if (used + size > total) return false;
      used += size;
      taken.set(request, size);
      return true;
    },
    release(request) {
      used -= taken.get(request) ?? 0;
      taken.delete(request);
    },
  };
}

/** Bytes, as the request says; undefined when it does not. */
export function bodyLength({ headers }: FastifyRequest): number | undefined {
  const given = headers['content-length'];
  return given === undefined ? undefined : Number(given);
}
