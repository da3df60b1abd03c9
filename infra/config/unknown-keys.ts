import type { Environment } from '../env.ts';
import type { ConfigProblem } from './config-error.ts';
import { allKeys, definitionOf, jobKeys } from './keys.ts';
import { nearest } from './nearest.ts';

/** Keys that are named like ours and are not: a typing mistake there would otherwise be a setting that does nothing. */
export function findUnknownKeys(env: Environment): ConfigProblem[] {
  const known = allKeys().flatMap((key) =>
    definitionOf(key).secrecy === 'credential' ? [key, `${key}_FILE`] : [key],
  );
  const ours = known.filter((key) => key.startsWith('HEPHAESTUS_'));
  return Object.keys(env)
    .filter((key) => key.startsWith('HEPHAESTUS_') && !ours.includes(key) && !jobKeys.has(key))
    .toSorted()
    .map((key) => {
      const meant = nearest(key, ours);
      const todo = meant === undefined ? 'see .env.example for all keys' : `did you mean ${meant}?`;
      return { key, found: 'a key that does not exist', expected: 'a known key', todo };
    });
}
