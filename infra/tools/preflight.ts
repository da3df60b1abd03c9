import { execa } from 'execa';

import { describeRange, findOnPath, fits, probeVersion, type VersionRange } from './versions.ts';

/** What the machine itself must bring, with absolute paths. */
export interface MachineTools {
  /** A Python that can make virtual environments with pip in them. */
  readonly python: string;
  readonly git: string;
  readonly npm: string;
}

/** Something is missing on this machine: `problems` has one sentence for each, with the command that mends it. */
export class MissingToolError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(['This machine lacks what Hephaestus needs:', ...problems.map((line) => `  - ${line}`)].join('\n'));
    this.name = 'MissingToolError';
    this.problems = problems;
  }
}

type Environment = Readonly<Record<string, string>>;
type Found = { readonly path: string } | { readonly problem: string };
type Installer = 'apt' | 'dnf' | 'brew' | 'other';

const pythonRange: VersionRange = { atLeast: [3, 10, 0], below: [3, 15, 0] };
const pythonNames = [
  'python3',
  'python3.14',
  'python3.13',
  'python3.12',
  'python3.11',
  'python3.10',
  'python',
];
const gitRange: VersionRange = { atLeast: [2, 39, 0] };
const npmRange: VersionRange = { atLeast: [10, 0, 0] };

const cures: Readonly<Record<'python' | 'venv' | 'git' | 'npm', Readonly<Record<Installer, string>>>> = {
  python: {
    apt: 'sudo apt-get install python3 python3-venv',
    dnf: 'sudo dnf install python3.12',
    brew: 'brew install python@3.12',
    other: 'install Python from https://www.python.org/downloads/',
  },
  venv: {
    apt: 'sudo apt-get install python3-venv',
    dnf: 'sudo dnf install python3-pip',
    brew: 'brew reinstall python@3.12',
    other: 'install the venv and ensurepip modules of this Python',
  },
  git: {
    apt: 'sudo apt-get install git',
    dnf: 'sudo dnf install git',
    brew: 'brew install git',
    other: 'install git from https://git-scm.com/downloads',
  },
  npm: {
    apt: 'sudo apt-get install npm',
    dnf: 'sudo dnf install npm',
    brew: 'brew install node',
    other: 'install Node.js with npm from https://nodejs.org/en/download',
  },
};

/**
 * Checks Python (3.10 or newer, with venv), git (2.39 or newer) and npm (10 or newer) before anything is started.
 * Throws one `MissingToolError` that names everything that is missing.
 */
export async function preflight(environment: Environment): Promise<MachineTools> {
  const installer = await findInstaller(environment);
  const [python, git, npm] = await Promise.all([
    findPython(environment, installer),
    findProgram('git', gitRange, environment, installer),
    findProgram('npm', npmRange, environment, installer),
  ]);
  if ('path' in python && 'path' in git && 'path' in npm) {
    return { python: python.path, git: git.path, npm: npm.path };
  }
  throw new MissingToolError(
    [python, git, npm].flatMap((found) => ('problem' in found ? [found.problem] : [])),
  );
}

async function findPython(environment: Environment, installer: Installer): Promise<Found> {
  const seen: string[] = [];
  let withoutVenv: string | undefined;
  for (const name of pythonNames) {
    const path = await findOnPath(name, environment);
    const version = path === undefined ? undefined : await probeVersion(path, environment);
    if (path === undefined || version === undefined) continue;
    if (!fits(version, pythonRange)) seen.push(`${path} is ${version.join('.')}`);
    else if (await hasVenv(path, environment)) return { path };
    else withoutVenv ??= path;
  }
  if (withoutVenv !== undefined) {
    return {
      problem: `${withoutVenv} cannot make virtual environments (venv or ensurepip is missing): ${cures.venv[installer]}`,
    };
  }
  const what = seen.length === 0 ? 'no python3 on the PATH' : seen.join(', ');
  return {
    problem: `${what}; Python ${describeRange(pythonRange)} is needed: ${cures.python[installer]}`,
  };
}

async function hasVenv(python: string, environment: Environment): Promise<boolean> {
  const { failed } = await execa(python, ['-c', 'import venv, ensurepip'], {
    env: environment,
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    timeout: 30_000,
  });
  return !failed;
}

async function findProgram(
  name: 'git' | 'npm',
  range: VersionRange,
  environment: Environment,
  installer: Installer,
): Promise<Found> {
  const path = await findOnPath(name, environment);
  const need = `${name} ${describeRange(range)} is needed: ${cures[name][installer]}`;
  if (path === undefined) return { problem: `no ${name} on the PATH; ${need}` };
  const version = await probeVersion(path, environment);
  if (version === undefined) return { problem: `${path} does not run; ${need}` };
  return fits(version, range) ? { path } : { problem: `${path} is ${version.join('.')}; ${need}` };
}

async function findInstaller(environment: Environment): Promise<Installer> {
  for (const [program, installer] of [
    ['apt-get', 'apt'],
    ['dnf', 'dnf'],
    ['brew', 'brew'],
  ] as const) {
    if ((await findOnPath(program, environment)) !== undefined) return installer;
  }
  return 'other';
}
