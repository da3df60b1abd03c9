import { questions, type Question } from './faults.ts';

type Counter = Question | 'requests';

export interface Stats {
  count(on: Question): void;
  reset(): void;
  /** How often each question was asked, refused and failed ones included, and all of them. */
  totals(): Readonly<Record<Counter, number>>;
  /** The most requests that fell into any window of one second. */
  mostPerSecond(): Readonly<Record<Counter, number>>;
}

const windowMs = 1000;
const counters: readonly Counter[] = [...questions, 'requests'];

export function createStats(): Stats {
  let totals = zeros();
  let most = zeros();
  /** When the requests of the last second came, by the monotonic clock. */
  let recent = noTimes();

  function countOne(counter: Counter, now: number): void {
    totals[counter] += 1;
    const times = recent[counter];
    times.push(now);
    while ((times[0] ?? now) <= now - windowMs) times.shift();
    most[counter] = Math.max(most[counter], times.length);
  }

  return {
    count(on) {
      const now = performance.now();
      countOne(on, now);
      countOne('requests', now);
    },
    reset() {
      totals = zeros();
      most = zeros();
      recent = noTimes();
    },
    totals: () => ({ ...totals }),
    mostPerSecond: () => ({ ...most }),
  };
}

function zeros(): Record<Counter, number> {
  return Object.fromEntries(counters.map((name) => [name, 0])) as Record<Counter, number>;
}

function noTimes(): Record<Counter, number[]> {
  return Object.fromEntries(counters.map((name) => [name, []])) as unknown as Record<Counter, number[]>;
}
