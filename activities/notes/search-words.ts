/** Words without which a question means the same. */
const noise = new Set(
  'a an and are as at be by for from in into is it its no not of on or out over than that the then this to was were will with'.split(
    ' ',
  ),
);

/** Chinese, Japanese and Korean are written without blanks: two characters beside each other stand for a word. */
const ideographs = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]+/gu;

/** The words of a text that are searched for, in lower case. */
export function searchWords(text: string): string[] {
  const lower = text.toLowerCase();
  const pairs = [...lower.matchAll(ideographs)].flatMap(([run]) => pairsOf(Array.from(run)));
  const words = lower.replaceAll(ideographs, ' ').match(/[\p{L}\p{N}]+/gu) ?? [];
  return [...words.filter((word) => !noise.has(word)), ...pairs];
}

function pairsOf(characters: readonly string[]): string[] {
  if (characters.length === 1) return [...characters];
  return characters.slice(1).map((character, index) => `${characters[index] ?? ''}${character}`);
}
