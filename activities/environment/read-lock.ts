import { join } from 'node:path';

import { execa } from 'execa';
import { parse } from 'smol-toml';
import { z } from 'zod';

import { Failure } from '../../infra/failure.ts';

const LockedPackage = z.object({
  /** Normalised. */
  name: z.string(),
  version: z.string().nullable(),
  /** Of the file that fits the platform, for example `sha256:…`. */
  hashes: z.array(z.string()),
  /** File name of the wheel that fits best; null when none does. */
  wheel: z.string().nullable(),
  has_wheels: z.boolean(),
  has_source: z.boolean(),
  /** Not from an index: a folder, an archive or a repository. */
  local: z.boolean(),
});

export type LockedPackage = z.infer<typeof LockedPackage>;

const Answer = z.object({
  requires_python: z.string().nullable(),
  python_fits: z.boolean(),
  packages: z.array(LockedPackage),
});

export type LockContent = z.infer<typeof Answer>;

export interface Platform {
  /** Full version, for example 3.11.7. */
  readonly python: string;
  /** As the kernel calls it, for example x86_64. */
  readonly machine: string;
  /** Null: that of this machine. */
  readonly glibc: string | null;
}

const script = join(import.meta.dirname, 'read-lock.py');

/**
 * What a lock in the standard form (`pylock.toml`) would install on a platform, by the rules of the `packaging` library.
 * Throws `EnvironmentBuildFailed` when it cannot be read.
 */
export async function readLock(toml: string, platform: Platform, python: string): Promise<LockContent> {
  const lock = withoutDates(parse(toml));
  const result = await execa(python, ['-I', script], {
    input: JSON.stringify({ lock, ...platform }),
    extendEnv: false,
    env: { LANG: 'C.UTF-8' },
    reject: false,
    timeout: 60_000,
  });
  if (!result.failed) return Answer.parse(JSON.parse(result.stdout));
  throw new Failure(
    'EnvironmentBuildFailed',
    `What the lock would install could not be told by ${python}: ${result.stderr.slice(-2000) || result.shortMessage}\nExpected a Python with the packaging library; npm run tools installs it.`,
  );
}

/** Upload times are the only dates; they decide nothing, and JSON has no form for them. */
function withoutDates(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDates);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => !(inner instanceof Date))
      .map(([key, inner]) => [key, withoutDates(inner)]),
  );
}
