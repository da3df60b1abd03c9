import { z } from 'zod';

export const RateSettings = z.strictObject({
  /** Requests of one user in a window. */
  limit: z.int().min(1).default(5000),
  windowSeconds: z.number().min(1).max(86_400).default(3600),
});
export type RateSettings = z.infer<typeof RateSettings>;

interface Window {
  used: number;
  /** Epoch seconds. */
  reset: number;
}

export interface RateLimit {
  settings: RateSettings;
  /** Counts one request; false when there is nothing left of the window. */
  take(who: string): boolean;
  /** A conditional request whose answer had not changed is free. */
  giveBack(who: string): void;
  headers(who: string): Record<string, number>;
}

/** The primary limit, each user's own. */
export function createRateLimit(): RateLimit {
  const windows = new Map<string, Window>();
  const limit: RateLimit = {
    settings: RateSettings.parse({}),
    take(who) {
      const window = windowOf(who);
      if (window.used >= limit.settings.limit) return false;
      window.used += 1;
      return true;
    },
    giveBack(who) {
      const window = windowOf(who);
      window.used = Math.max(0, window.used - 1);
    },
    headers(who) {
      const { used, reset } = windowOf(who);
      return {
        'x-ratelimit-limit': limit.settings.limit,
        'x-ratelimit-remaining': Math.max(0, limit.settings.limit - used),
        'x-ratelimit-used': used,
        'x-ratelimit-reset': reset,
      };
    },
  };
  const windowOf = (who: string): Window => {
    const now = Date.now() / 1000;
    const current = windows.get(who);
    if (current !== undefined && current.reset > now) return current;
    const fresh = { used: 0, reset: Math.ceil(now + limit.settings.windowSeconds) };
    windows.set(who, fresh);
    return fresh;
  };
  return limit;
}
