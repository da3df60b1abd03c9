import PQueue from 'p-queue';

/** Runs what it is given, in order, as soon as the rate allows. */
export type LimitRate = <T>(send: () => Promise<T>) => Promise<T>;

/**
 * Lets one request begin every `1 / perSecond` seconds at most, so that no second holds more than its number, wherever it is
 * taken to start, and however long the process was held up before.
 */
export function createLimitRate(perSecond: number): LimitRate {
  const queue = new PQueue({ interval: 1000 / perSecond, intervalCap: 1, strict: true });
  return async (send) => queue.add(send);
}
