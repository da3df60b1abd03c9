/** One look at a job: what the time is, and when it is worth looking again. Times are ms since the epoch. */
export interface Look {
  readonly now: number;
  /** Whether this time has come; if not, the job is looked at again then. */
  passed(at: number): boolean;
  /** The earliest time that had not come; Infinity when none was asked for. */
  next(): number;
}

export function createLook(now: number): Look {
  let next = Infinity;
  return {
    now,
    passed(at) {
      if (at <= now) return true;
      next = Math.min(next, at);
      return false;
    },
    next: () => next,
  };
}
