import { setTimeout as delay } from 'node:timers/promises';

import { pause } from '../pause.ts';
import {
  startGuarded,
  type GuardedOptions,
  type GuardedProcess,
  type ProgramEnd,
} from './guarded-process.ts';

export interface Service extends Omit<GuardedOptions, 'python'> {
  readonly name: string;
  /** Whether the program serves now; asked again and again from its start until it does. */
  readonly isReady: (pid: number) => Promise<boolean>;
  /** A program that is not ready by then is ended, and started again. */
  readonly readyWithinMs: number;
  /** Whether a program that was ready still does its work, as far as that can be known: what cannot be counts as yes. */
  readonly isAlive: (pid: number) => Promise<boolean>;
  /**
   * Looks at the ends that came one after the other without the program ever having been ready, the newest last: the
   * error with which to give up, or null to start it again.
   */
  readonly judgeEnds: (ends: readonly ProgramEnd[]) => Promise<Error | null>;
}

export type ServiceState =
  | { readonly status: 'starting'; readonly pid: number | null }
  | { readonly status: 'ready'; readonly pid: number; readonly since: number }
  /** Ended by itself, or because it hung; started again at `until`. Times in ms since the epoch. */
  | { readonly status: 'waiting'; readonly until: number; readonly end: ProgramEnd; readonly hung: boolean }
  | { readonly status: 'stopped' };

export interface Supervised {
  readonly name: string;
  readonly state: () => ServiceState;
  /** How often it was started again. */
  readonly restarts: () => number;
  /** Resolves at the first time that it is ready. */
  readonly ready: Promise<void>;
  /** Rejects with what `judgeEnds` gave up with; resolves when it was stopped. */
  readonly over: Promise<void>;
  /** Asks it to end and waits until it has. */
  stop(): Promise<void>;
}

export interface SuperviseOptions {
  readonly python: string;
  readonly onChange?: (service: Supervised) => void;
  /** Between two looks whether a program that was ready is still alive, ms. */
  readonly aliveEveryMs?: number;
}

/** Between two looks whether a program is ready, ms. */
const lookEvery = 100;
const aliveEvery = 30_000;
/** So many looks in a row find a program that hangs: one may be late on a machine that is overloaded, or wakes from sleep. */
const lifelessLooks = 4;
/** A program that ran for less than this after it was ready counts as one that never was, ms. */
const steadyAfter = 1000;
/** Pauses before a program is started again, ms, by how many times in a row it did not become steady. */
const pauses = [0, 500, 1000, 2000, 4000, 8000, 16_000, 30_000] as const;

/** Keeps a program running until it is told to stop: started again when it ends, with longer and longer pauses. */
export function supervise(
  service: Service,
  { python, onChange, aliveEveryMs = aliveEvery }: SuperviseOptions,
): Supervised {
  let state: ServiceState = { status: 'starting', pid: null };
  let restarts = 0;
  let running: GuardedProcess | undefined;
  const stopping = new AbortController();
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => undefined);

  const change = (next: ServiceState): void => {
    state = next;
    onChange?.(supervised);
  };

  async function runOnce(): Promise<{
    readonly end: ProgramEnd;
    readonly steady: boolean;
    readonly hung: boolean;
  }> {
    running = startGuarded({ ...service, python });
    const { pid, ended } = running;
    if (stopping.signal.aborted) running.stop();
    change({ status: 'starting', pid: await pid });
    const readySince = await becomeReady(service, running);
    if (readySince === null) return { end: await ended, steady: false, hung: false };
    change({ status: 'ready', ...readySince });
    ready.resolve();
    const hung = await untilItHangs(service, running, readySince.pid, aliveEveryMs);
    if (hung) running.stop();
    const end = await ended;
    return { end, steady: Date.now() - readySince.since > steadyAfter, hung };
  }

  async function run(): Promise<void> {
    let ends: ProgramEnd[] = [];
    for (;;) {
      const { end, steady, hung } = await runOnce();
      if (stopping.signal.aborted) break;
      ends = steady ? [] : [...ends, end];
      const error = ends.length === 0 ? null : await service.judgeEnds(ends);
      if (error !== null) throw error;
      const pauseMs = pauses[Math.min(ends.length, pauses.length - 1)] ?? 0;
      change({ status: 'waiting', until: Date.now() + pauseMs, end, hung });
      await pause(pauseMs, stopping.signal);
      if (stopping.signal.aborted) break;
      restarts += 1;
    }
  }

  const over = run().finally(() => {
    change({ status: 'stopped' });
    ready.reject(new Error(`${service.name} was stopped before it was ready`));
  });
  over.catch(() => undefined);
  const supervised: Supervised = {
    name: service.name,
    state: () => state,
    restarts: () => restarts,
    ready: ready.promise,
    over,
    async stop() {
      stopping.abort();
      running?.stop();
      await over.catch(() => undefined);
    },
  };
  return supervised;
}

/** Null when the program ended before it was ready. */
async function becomeReady(
  service: Service,
  { pid, ended, stop }: GuardedProcess,
): Promise<{ readonly pid: number; readonly since: number } | null> {
  const number = await pid;
  if (number === null) return null;
  const over = endOf(ended);
  const limit = Date.now() + service.readyWithinMs;
  while (!over.aborted) {
    if (Date.now() > limit) stop();
    if (await service.isReady(number)) return { pid: number, since: Date.now() };
    await Promise.race([delay(lookEvery), ended]);
  }
  return null;
}

/** True when it hangs, false when it ended. */
async function untilItHangs(
  service: Service,
  { ended }: GuardedProcess,
  pid: number,
  everyMs: number,
): Promise<boolean> {
  const over = endOf(ended);
  for (let lifeless = 0; lifeless < lifelessLooks;) {
    await pause(everyMs, over);
    if (over.aborted) return false;
    lifeless = (await service.isAlive(pid)) ? 0 : lifeless + 1;
  }
  return !over.aborted;
}

/** Aborted once the program has ended. */
function endOf(ended: GuardedProcess['ended']): AbortSignal {
  const over = new AbortController();
  void ended.finally(() => over.abort());
  return over.signal;
}
