/** Keeps the questions of one process about all of its jobs together under a rate. */
export interface Pacer {
  /**
   * How long to wait, ms, where `wantedMs` would be right if there were no other jobs. `requests`: how many the last look
   * cost.
   */
  wait(key: string, wantedMs: number, requests?: number): number;
}

export interface PacerOptions {
  /** Of all questions together, on average. */
  readonly requestsPerSecond: number;
  /** ms since the epoch. */
  readonly now?: () => number;
}

interface Asker {
  /** Requests a second, if it were let. */
  readonly rate: number;
  /** When it is forgotten unless it asks again. */
  readonly until: number;
}

/** Another process may serve a job in between, and still the job counts. */
const keptForWaits = 3;
const keptAtLeastMs = 60_000;
const sweepEveryMs = 1000;

/**
 * A pacer that stretches all waits in proportion as soon as they would come to more than the rate: two hundred jobs in a queue
 * ask each a fortieth as often as five would. Jobs that have ended are forgotten after a few of their waits.
 */
export function createPacer({ requestsPerSecond, now = Date.now }: PacerOptions): Pacer {
  const askers = new Map<string, Asker>();
  let total = 0;
  let sweepAt = 0;

  function forget(key: string): void {
    total -= askers.get(key)?.rate ?? 0;
    askers.delete(key);
  }

  function sweep(at: number): void {
    if (at < sweepAt) return;
    sweepAt = at + sweepEveryMs;
    for (const [key, { until }] of askers) if (until < at) forget(key);
    // Adding and taking away leaves dust behind.
    total = [...askers.values()].reduce((sum, { rate }) => sum + rate, 0);
  }

  return {
    wait(key, wantedMs, requests = 1) {
      const at = now();
      sweep(at);
      forget(key);
      const rate = (requests * 1000) / Math.max(1, wantedMs);
      total += rate;
      const waitMs = Math.round(wantedMs * Math.max(1, total / requestsPerSecond));
      askers.set(key, { rate, until: at + keptForWaits * waitMs + keptAtLeastMs });
      return waitMs;
    },
  };
}
