import type { Environment } from '../env.ts';
import { allKeys, definitionOf, type Zone } from './keys.ts';
import { given } from './reader.ts';

/**
 * Names of the credentials that stand in the environment although none of the zones may hold them (`<KEY>_FILE` counts
 * as well). A worker refuses to start while there are any: whoever breaks into one zone must not find another's keys.
 */
export function forbiddenCredentials(env: Environment, zones: readonly Zone[]): string[] {
  return allKeys()
    .filter((key) => {
      const definition = definitionOf(key);
      return definition.secrecy === 'credential' && !definition.zones.some((zone) => zones.includes(zone));
    })
    .flatMap((key) => [key, `${key}_FILE`])
    .filter((key) => given(env, key) !== undefined);
}

/** The sentence for a worker that refuses to start: which keys, which zone may hold them, what to do. */
export function describeForbidden(names: readonly string[], zones: readonly Zone[]): string {
  const lines = names.map((name) => {
    const key = allKeys().find((candidate) => candidate === name || `${candidate}_FILE` === name);
    const holders = key === undefined ? '' : definitionOf(key).zones.join(' or ');
    return `  ${name}: only zone ${holders} may hold it`;
  });
  return [
    `A worker for zone ${zones.join(' and ')} must not hold these credentials:`,
    ...lines,
    'Remove them from its environment and its .env file, or serve their zone in the same process.',
  ].join('\n');
}
