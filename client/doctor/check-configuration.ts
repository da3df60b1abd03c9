import type { ConfigProblem } from '../../infra/config/config-error.ts';
import { findEnvFileProblems } from '../../infra/config/env-file.ts';
import { forbiddenCredentials } from '../../infra/config/forbidden-credentials.ts';
import type { Zone } from '../../infra/config/keys.ts';
import { zonesOf, type Part, type PartialConfig } from '../../infra/config/load-partially.ts';
import type { Environment } from '../../infra/env.ts';
import { good, type Check, type Finding, type System } from './finding.ts';

export interface ConfigurationCheckOptions {
  readonly config: PartialConfig;
  readonly cwd: string;
  readonly env: Environment;
  /** The zones that this machine is said to serve; null when nothing was said. */
  readonly zones: readonly Zone[] | null;
}

const system = 'configuration' as const;

/** Unknown keys, stray lines, a `.env` that everybody may read, credentials of another zone. */
export function checkConfiguration({ config, cwd, env, zones }: ConfigurationCheckOptions): Check {
  return {
    system,
    look: async () => {
      const forbidden = zones === null ? [] : forbiddenCredentials(env, zones);
      const findings = [
        ...[...config.unknown, ...findEnvFileProblems(cwd)].map((problem) => ofProblem(system, problem)),
        ...forbidden.map((name) => ({
          system,
          status: 'bad' as const,
          what: `${name} stands here, and only zone ${zonesOf(name.replace(/_FILE$/, '')).join(' or ')} may hold it`,
          why: 'who breaks into one zone must not find the keys of another; a worker refuses to start with it',
          todo: 'remove it from the environment and the .env file of this machine',
        })),
      ];
      return findings.length === 0
        ? [good(system, 'no unknown key, no stray line, no secret in the open')]
        : findings;
    },
  };
}

/**
 * The value of a part, or the findings that stand for it: `skipped` where its credential is missing, unless this machine
 * was said to serve its zone.
 */
export function partOrFindings<T>(
  of: System,
  name: string,
  part: Part<T>,
  served: readonly Zone[] | null,
): { readonly value: T } | { readonly findings: readonly Finding[] } {
  switch (part.status) {
    case 'read':
      return { value: part.value };
    case 'wrong':
      return { findings: part.problems.map((problem) => ofProblem(of, problem)) };
    case 'missing': {
      const [first = ''] = part.keys;
      const holders = zonesOf(first);
      const wanted = served !== null && holders.some((zone) => served.includes(zone));
      return {
        findings: [
          {
            system: of,
            status: wanted ? 'bad' : 'skipped',
            what: `${name} is not configured here: ${part.keys.join(', ')} not set`,
            why: wanted ? `zone ${holders.join(' or ')} cannot be served without it` : '',
            todo: `set it where zone ${holders.join(' or ')} is served`,
          },
        ],
      };
    }
  }
}

function ofProblem(of: System, { key, found, expected, todo }: ConfigProblem): Finding {
  return {
    system: of,
    status: 'bad',
    what: `${key}: found ${found}`,
    why: `expected ${expected}`,
    todo: todo === '' ? `correct ${key}` : todo,
  };
}
