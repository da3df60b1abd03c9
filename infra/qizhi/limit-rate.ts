import PQueue from 'p-queue';

/** Runs what it is given, in order, as soon as the rate allows. */
export type LimitRate = <T>(send: () => Promise<T>) => Promise<T>;

/**
 * Lets at most `perSecond` requests begin in any second, wherever the second is taken to start, and however long the process
 * was held up before. Below one a second it lets one begin every `1 / perSecond` seconds.
 */
export function createLimitRate(perSecond: number): LimitRate {
  const intervalCap = Math.max(1, Math.floor(perSecond));
  const queue = new PQueue({ interval: (intervalCap / perSecond) * 1000, intervalCap, strict: true });
  return async (send) => queue.add(send);
}
