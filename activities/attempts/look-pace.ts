/** Looks at the shared disk by one process, when very many attempts wait. */
const mostLooksPerSecond = 20;
/** The longest wait that comes of nothing having changed. */
const longestMs = 5 * 60_000;
/** The wait never grows beyond this many times the wait that was asked for. */
const mostGrowth = 10;
/** The wait is this part of the time in which nothing has changed: five minutes after some three hours. */
const partOfUnchanged = 1 / 40;
const jitter = 0.1;

export interface LookPace {
  /** Milliseconds until `who` should look again, after nothing has changed for `unchangedMs`. */
  delayMs(who: string, baseMs: number, unchangedMs: number): number;
  /** `who` waits no more. */
  forget(who: string): void;
}

/**
 * How often one process looks: as often as asked for at first, more seldom while nothing changes, and never so often that
 * all who wait together look more than about 20 times a second. `now` and `random` as in `Date.now` and `Math.random`.
 */
export function createLookPace(now: () => number = Date.now, random: () => number = Math.random): LookPace {
  /** Until when somebody counts as waiting: one that was cancelled does not say so. */
  const waiting = new Map<string, number>();
  let sweptAt = now();

  function sweep(time: number): void {
    if (time - sweptAt < 1000) return;
    sweptAt = time;
    for (const [who, until] of waiting) if (until < time) waiting.delete(who);
  }

  return {
    delayMs(who, baseMs, unchangedMs) {
      const time = now();
      sweep(time);
      waiting.delete(who);
      const grown = Math.min(unchangedMs * partOfUnchanged, longestMs, baseMs * mostGrowth);
      const share = ((waiting.size + 1) / mostLooksPerSecond) * 1000;
      // Few who wait leave the pace that was asked for as it is, however fast that is.
      const wanted = Math.max(baseMs, grown, waiting.size < mostLooksPerSecond ? 0 : share);
      const delay = Math.round(wanted * (1 - jitter + random() * 2 * jitter));
      waiting.set(who, time + 2 * delay + longestMs / 10);
      return delay;
    },
    forget(who) {
      waiting.delete(who);
    },
  };
}
