/** Strings are matched first, so that a "NaN" inside of one is left alone. */
const stringOrNonFinite = /"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g;

/**
 * Parses JSON in which numbers may stand as bare `NaN`, `Infinity` or `-Infinity`, as W&B writes them. These become
 * null, or with `nonFinite: 'text'` strings of the same letters. Throws a `SyntaxError` on anything else.
 */
export function parseLooseJson(text: string, nonFinite: 'null' | 'text' = 'null'): unknown {
  if (!/NaN|Infinity/.test(text)) return JSON.parse(text);
  const strict = text.replaceAll(stringOrNonFinite, (match) => {
    if (match.startsWith('"')) return match;
    return nonFinite === 'text' ? `"${match}"` : 'null';
  });
  return JSON.parse(strict);
}
