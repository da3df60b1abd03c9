/** A number in a text as it stands there, with its value and the place of its last digit. */
interface WrittenNumber {
  readonly text: string;
  readonly value: number;
  readonly unit: number;
  readonly percent: boolean;
}

/** However a number is rounded, it may not be further off than this part of the fact. */
const maxRelativeError = 0.05;

/**
 * The numbers in `text` that are neither among the facts nor one of them rounded (or told as a percentage). Signs are not
 * compared: "lower by 0.05" tells a delta of -0.05. Digits of other scripts count as invented.
 */
export function inventedNumbers(text: string, facts: unknown): string[] {
  const { values, words } = collect(facts);
  const strange = [...text.matchAll(/[^\s]*(?![0-9])\p{N}[^\s]*/gu)].map(([token]) => token);
  const invented = tokensWithDigits(text)
    .filter((token) => !words.has(token))
    .flatMap(readNumbers)
    .filter((number) => !values.some((value) => tells(number, value)))
    .map(({ text: written }) => written);
  return [...new Set([...strange, ...invented])];
}

function tokensWithDigits(text: string): string[] {
  return text
    .replaceAll(/(?<=\d)\s*(?:%|per\s?cent\b)/gi, '%')
    .split(/\s+/)
    .map(trimPunctuation)
    .filter((token) => /[0-9]/.test(token));
}

function trimPunctuation(token: string): string {
  return token.replace(/^[^\p{L}\p{N}+-]+|[^\p{L}\p{N}%]+$/gu, '');
}

function readNumbers(token: string): WrittenNumber[] {
  const plain = token.replaceAll(/(?<=\d),(?=\d{3}(?:\D|$))/g, '');
  return [...plain.matchAll(/(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?(%)?/g)].map(
    ([text, whole = '', decimals = '', exponent = '0', percent]) => ({
      text,
      value: Number(`${whole}.${decimals || '0'}e${exponent}`),
      unit: 10 ** (Number(exponent) - decimals.length),
      percent: percent !== undefined,
    }),
  );
}

function tells(number: WrittenNumber, fact: number): boolean {
  const candidates = number.percent ? [Math.abs(fact) * 100, Math.abs(fact)] : [Math.abs(fact)];
  return candidates.some((candidate) => {
    const off = Math.abs(candidate - number.value);
    // Half a unit of the last digit, and a little for what floating point adds.
    const rounded = off <= number.unit * 0.5 * (1 + 1e-9);
    return off === 0 || (rounded && off <= candidate * maxRelativeError);
  });
}

/** Every number of the facts, also those inside their sentences, and every word with a digit that they hold as it is. */
function collect(facts: unknown): { readonly values: number[]; readonly words: Set<string> } {
  const values: number[] = [];
  const words = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value === 'number') values.push(value);
    else if (typeof value === 'string') {
      for (const token of tokensWithDigits(value)) {
        words.add(token);
        // Numbers of a sentence are facts; the digits inside a hash, an id or an address are not.
        if (/^[+-]?[\d.,]+(?:[eE][+-]?\d+)?%?$/.test(token)) {
          values.push(...readNumbers(token).map((number) => number.value));
        }
      }
    } else if (Array.isArray(value)) {
      values.push(value.length);
      value.forEach(visit);
    } else if (typeof value === 'object' && value !== null) Object.values(value).forEach(visit);
  };
  visit(facts);
  return { values, words };
}
