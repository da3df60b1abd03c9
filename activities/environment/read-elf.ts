import { join } from 'node:path';

import { execa } from 'execa';
import { z } from 'zod';

import { Failure } from '../../infra/failure.ts';

const ElfFile = z.object({
  /** ELF's own word, for example EM_X86_64. */
  machine: z.string(),
  /** Names of the libraries that are loaded with it. */
  needed: z.array(z.string()),
  /** Where it looks for them (RPATH and RUNPATH), as written. */
  search: z.array(z.string()),
  /** Highest symbol version asked for, by library: GLIBC, GLIBCXX. */
  versions: z.record(z.string(), z.string()),
});

export type ElfFile = z.infer<typeof ElfFile>;

const Report = z.object({
  /** Of this machine; null without glibc. */
  glibc: z.string().nullable(),
  machine: z.string(),
  files: z.record(z.string(), z.union([ElfFile, z.object({ error: z.string() })])),
});

const limitMs = 300_000;
const script = join(import.meta.dirname, 'read-elf.py');

/** Reads those of the files that are ELF, in one process. Throws `EnvironmentBuildFailed` when the reader cannot run. */
export async function readElf(paths: readonly string[], python: string): Promise<z.infer<typeof Report>> {
  const result = await execa(python, ['-I', script], {
    input: paths.join('\0'),
    extendEnv: false,
    env: { LANG: 'C.UTF-8' },
    reject: false,
    timeout: limitMs,
    maxBuffer: 256 * 1024 * 1024,
  });
  if (!result.failed) return Report.parse(JSON.parse(result.stdout));
  throw new Failure(
    'EnvironmentBuildFailed',
    `The binaries of the environment could not be read by ${python}: ${result.stderr.slice(-2000) || result.shortMessage}\nExpected a Python with pyelftools; npm run tools installs it.`,
  );
}
