import { join } from 'node:path';

import { execa } from 'execa';

const foam = join(import.meta.dirname, '..', '..', '..', 'node_modules', '.bin', 'foam');

/** What Foam's own command line finds wrong with a vault: faults of `foam lint`, and links that lead nowhere. */
export async function findDeadLinks(vault: string): Promise<string[]> {
  const options = { env: { FOAM_TELEMETRY: '0' }, reject: false, stdin: 'ignore' } as const;
  const lint = await execa(foam, ['lint', '--workspace', vault], options);
  const dead = await execa(foam, ['list', 'placeholders', '--workspace', vault, '--format', 'json'], options);
  if (dead.exitCode !== 0) return [`foam list placeholders failed: ${dead.stderr}`];
  const placeholders = JSON.parse(dead.stdout) as { readonly placeholder_id: string }[];
  return [
    ...(lint.exitCode === 0 ? [] : [lint.stdout || lint.stderr]),
    ...placeholders.map(({ placeholder_id }) => `a link to ${placeholder_id} leads nowhere`),
  ];
}
