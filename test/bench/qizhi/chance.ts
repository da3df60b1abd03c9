import { createHash } from 'node:crypto';

/**
 * A number in [0, 1) that depends on the words alone: whatever happens first in a run, the same seed draws the same for
 * the same experiment.
 */
export function chance(...words: readonly (string | number)[]): number {
  const digest = createHash('sha256').update(words.join('/')).digest();
  return digest.readUInt32BE(0) / 2 ** 32;
}
