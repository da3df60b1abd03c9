export interface ListenIntervalInput {
  /** Since anybody did anything, or something new was shown, ms. */
  readonly quietMs: number;
  /** The ordinary time between two looks, ms. */
  readonly baseMs: number;
  /** From 0 to 1, for the jitter. */
  readonly random: number;
}

/** For so long the base is kept: whoever was just shown something may answer at once. */
const steadyBases = 10;
/** Then the wait grows with the silence: who has said nothing for four hours will bear an hour more. */
const partOfQuiet = 1 / 4;
const longestMs = 3 * 3_600_000;
const jitter = 0.1;

/**
 * How long to wait before the pull request is looked at again, ms, while no webhook says so: often near a decision, and
 * three days of silence in some 50 looks. Plus or minus a tenth, so that many experiments do not ask in step.
 */
export function listenInterval({ quietMs, baseMs, random }: ListenIntervalInput): number {
  const grown = quietMs <= steadyBases * baseMs ? baseMs : quietMs * partOfQuiet;
  const waitMs = Math.max(baseMs, Math.min(longestMs, grown));
  return Math.round(waitMs * (1 - jitter + 2 * jitter * random));
}
