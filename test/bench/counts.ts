/** How often each word comes. */
export function tally(words: Iterable<string>): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const word of words) sums[word] = (sums[word] ?? 0) + 1;
  return sums;
}

/** `merged 3, rejected 1`. */
export function counts(record: Readonly<Record<string, number>>): string {
  const parts = Object.entries(record).map(([name, count]) => `${name} ${count}`);
  return parts.length === 0 ? 'none' : parts.join(', ');
}
