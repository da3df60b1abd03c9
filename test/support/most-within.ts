/** The most of the moments (ms, in order) that fall into any window of this length, its end excluded. */
export function mostWithin(moments: readonly number[], windowMs: number): number {
  let first = 0;
  return moments.reduce((most, moment, index) => {
    while ((moments[first] ?? moment) <= moment - windowMs) first += 1;
    return Math.max(most, index - first + 1);
  }, 0);
}
