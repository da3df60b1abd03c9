import { setTimeout } from 'node:timers/promises';

export interface GroupCommit {
  /** Says that there is something to write; `settled` writes it. */
  readonly ask: () => void;
  /** Waits until all that was asked for so far is written. Throws what `write` threw: it is tried again by whoever waits next. */
  readonly settled: () => Promise<void>;
}

/** Of each write's time so many times over is left to everything else. */
const breather = 2;

/**
 * One write at a time, each for all who asked before it began: the whole state costs the same to write for one change and for
 * a hundred.
 */
export function commitInGroups(write: () => Promise<void>): GroupCommit {
  let asked = 0;
  let written = 0;
  let lastMs = 0;
  let underWay: Promise<void> | null = null;

  const writeNext = async (): Promise<void> => {
    await setTimeout(lastMs * breather);
    const upTo = asked;
    const begun = performance.now();
    try {
      await write();
      written = upTo;
    } finally {
      lastMs = performance.now() - begun;
      underWay = null;
    }
  };
  const isAhead = (mark: number): boolean => written < mark;
  return {
    ask() {
      asked += 1;
    },
    async settled() {
      const mine = asked;
      while (isAhead(mine)) {
        underWay ??= writeNext();
        await underWay;
      }
    },
  };
}
