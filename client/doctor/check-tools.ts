import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import type { Environment } from '../../infra/env.ts';
import { MissingToolError, preflight } from '../../infra/tools/preflight.ts';
import { toolEnvironment } from '../../infra/tools/tool-environment.ts';
import { findOnPath, probeVersion } from '../../infra/tools/versions.ts';
import { unlessMissing } from '../../infra/unless-missing.ts';
import { good, type Check, type Finding } from './finding.ts';

const system = 'tools' as const;
/** What `.tools` holds once it was filled, by the beginning of the name. */
const sets = [
  ['python', 'Temporal, uv and wandb'],
  ['agents', 'Gemini CLI and Qwen Code'],
] as const;

/** Python, git and npm of this machine, and whether the programs that Hephaestus brings are there. Installs nothing. */
export function checkTools(root: string, env: Environment): Check {
  return {
    system,
    look: async () => {
      const environment = toolEnvironment(env);
      const [machine, uv, brought] = await Promise.all([
        machineFindings(environment),
        uvFinding(root, environment),
        broughtFindings(root),
      ]);
      return [...machine, ...brought, ...uv];
    },
  };
}

async function machineFindings(environment: Readonly<Record<string, string>>): Promise<Finding[]> {
  try {
    const { python, git } = await preflight(environment);
    const [pythonVersion, gitVersion] = await Promise.all([
      probeVersion(python, environment),
      probeVersion(git, environment),
    ]);
    const node = process.versions.node;
    return [
      good(
        system,
        `Python ${pythonVersion?.join('.') ?? ''} with venv, git ${gitVersion?.join('.') ?? ''}, Node ${node}`,
      ),
    ];
  } catch (error) {
    if (!(error instanceof MissingToolError)) throw error;
    return error.problems.map((what) => ({
      system,
      status: 'bad' as const,
      what,
      why: 'Hephaestus cannot fetch or run its own programs without it',
      todo: 'run the command at the end of that line',
    }));
  }
}

async function broughtFindings(root: string): Promise<Finding[]> {
  const names = (await unlessMissing(readdir(root))) ?? [];
  return sets.map(([prefix, what]) => {
    if (names.some((name) => name.startsWith(`${prefix}-`))) return good(system, `${what} are installed`);
    return {
      system,
      status: 'warning',
      what: `${what} are not installed yet`,
      why: 'they are fetched at the first start, which takes minutes then',
      todo: 'npm run -s tools',
    };
  });
}

async function uvFinding(root: string, environment: Readonly<Record<string, string>>): Promise<Finding[]> {
  const names = ((await unlessMissing(readdir(root))) ?? []).filter((name) =>
    /^python-[0-9a-f]+$/.test(name),
  );
  const places = [await findOnPath('uv', environment), ...names.map((name) => join(root, name, 'bin', 'uv'))];
  for (const place of places) {
    if (place === undefined) continue;
    const version = await probeVersion(place, environment);
    if (version !== undefined) return [good(system, `uv ${version.join('.')} runs`)];
  }
  return [];
}
