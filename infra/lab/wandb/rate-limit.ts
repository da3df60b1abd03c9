/** What one more request of a run meets. */
export interface Allowance {
  readonly allowed: boolean;
  /** Of 1,000, as the header `RateLimit-Remaining` of W&B counts. */
  readonly remaining: number;
  /** Until there is room again. */
  readonly resetSeconds: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

/**
 * One bucket of tokens for each run: a second's worth at most, filled evenly. An own one, because what W&B's headers
 * count is neither requests nor whole seconds, which rate limiters for HTTP servers tell.
 */
export class RateLimit {
  readonly #buckets = new Map<string, Bucket>();

  /** `perSecond` is asked each time: it may change while the server runs. `now` in ms. */
  take(run: string, perSecond: number, now: number): Allowance {
    const room = Math.max(1, perSecond);
    const bucket = this.#buckets.get(run) ?? { tokens: room, at: now };
    bucket.tokens = Math.min(room, bucket.tokens + ((now - bucket.at) / 1000) * perSecond);
    bucket.at = now;
    this.#buckets.set(run, bucket);
    const allowed = bucket.tokens >= 1;
    if (allowed) bucket.tokens -= 1;
    return {
      allowed,
      remaining: Math.floor((bucket.tokens / room) * 1000),
      resetSeconds: Math.max(0, (1 - bucket.tokens) / perSecond),
    };
  }
}
