import { access, constants } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';

import { execa } from 'execa';

/** Major, minor, patch. */
export type Version = readonly [number, number, number];

/** What a tool's version must be: at least `atLeast`, and below `below` where newer ones are known to differ. */
export interface VersionRange {
  readonly atLeast: Version;
  readonly below?: Version;
}

const probeTimeoutMs = 30_000;

/** The first `1.2` or `1.2.3` in a program's own words; undefined when there is none. */
export function parseVersion(text: string): Version | undefined {
  const match = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  return match === null ? undefined : [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
}

export function fits(version: Version, range: VersionRange): boolean {
  return (
    compare(version, range.atLeast) >= 0 && (range.below === undefined || compare(version, range.below) < 0)
  );
}

/** For people: `0.13.0 or newer, below 0.14.0`. */
export function describeRange(range: VersionRange): string {
  const below = range.below === undefined ? '' : `, below ${range.below.join('.')}`;
  return `${range.atLeast.join('.')} or newer${below}`;
}

/** Absolute path of the first executable of that name on `PATH`; relative entries of `PATH` are not trusted. */
export async function findOnPath(
  name: string,
  environment: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  for (const folder of (environment['PATH'] ?? '').split(delimiter)) {
    if (!isAbsolute(folder)) continue;
    const path = join(folder, name);
    if (await isExecutable(path)) return path;
  }
  return undefined;
}

/** What `<program> --version` says; undefined when it cannot be run, fails, or names no version. */
export async function probeVersion(
  program: string,
  environment: Readonly<Record<string, string>>,
): Promise<Version | undefined> {
  const { failed, stdout, stderr } = await execa(program, ['--version'], {
    env: environment,
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    timeout: probeTimeoutMs,
  });
  return failed ? undefined : parseVersion(`${stdout}\n${stderr}`);
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

function compare(left: Version, right: Version): number {
  for (const [index, part] of left.entries()) {
    const difference = part - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
