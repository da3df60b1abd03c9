/** Chinese, Japanese and Korean characters and emoji take about this many times the room of a Latin letter. */
const wide = /[\u1100-\u115F\u2E80-\u{10FFFF}]/u;
const wideFactor = 1.6;

/**
 * Shortens a text to about `length` Latin letters, on one line. A name keeps both its ends, since names differ most
 * often at the end; a sentence keeps its beginning.
 */
export function shorten(text: string, length: number, keep: 'ends' | 'beginning' = 'ends'): string {
  const characters = Array.from(text.replaceAll(/\s+/g, ' ').trim());
  if (width(characters) <= length) return characters.join('');
  const tail = keep === 'ends' ? takeWidth(characters.toReversed(), length / 3).toReversed() : [];
  const head = takeWidth(characters, length - width(tail) - 1);
  return `${head.join('').trimEnd()}…${tail.join('')}`;
}

function width(characters: readonly string[]): number {
  return characters.reduce((sum, character) => sum + (wide.test(character) ? wideFactor : 1), 0);
}

function takeWidth(characters: readonly string[], limit: number): string[] {
  let used = 0;
  const end = characters.findIndex((character) => (used += width([character])) > limit);
  return characters.slice(0, end === -1 ? characters.length : end);
}
