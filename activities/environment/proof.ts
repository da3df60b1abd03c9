import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';

import { environmentFindings } from '../../domain/environment-finding.ts';
import { unlessMissing } from '../../infra/unless-missing.ts';

const Finding = z.object({
  code: z.custom<keyof typeof environmentFindings>(
    (value) => typeof value === 'string' && Object.hasOwn(environmentFindings, value),
  ),
  path: z.string(),
  sentence: z.string(),
  cure: z.string(),
});

/** `environment.json`: written last, so its presence is the only sign that an environment is whole and proven. */
export const Proof = z.object({
  schema: z.literal('hephaestus/environment/v2'),
  digest: z.string(),
  ingredients: z.record(z.string(), z.string()),
  python: z.object({ version: z.string(), executable: z.string(), managed: z.boolean() }),
  uv: z.string(),
  packages: z.array(
    z.object({
      name: z.string(),
      version: z.string(),
      /** Of the wheel, as the lock has them; none for code of the repository itself. */
      hashes: z.array(z.string()),
    }),
  ),
  files: z.int(),
  bytes: z.int(),
  /** SHA-256 over names, modes and contents: `treeDigest`. */
  treeDigest: z.string(),
  /** Path of the environment as the job sees it; scripts and the activate script hold it. */
  path: z.string(),
  scan: z.object({
    files: z.int(),
    binaries: z.int(),
    /** Highest versions that a binary asks for; null when none asks. */
    glibc: z.string().nullable(),
    glibcxx: z.string().nullable(),
    /** The glibc that this was held against: the image's where the note states it, else this machine's. */
    glibcLimit: z.string().nullable(),
    missingLibraries: z.array(z.string()),
    harmlessSearchPaths: z.array(z.string()),
  }),
  /** What was found and refuses nothing. */
  told: z.array(Finding),
  rehearsal: z.object({
    isolation: z.enum(['namespaces', 'seccomp', 'none']),
    imported: z.array(z.string()),
    missingGuarantees: z.array(z.string()),
  }),
  /** Milliseconds by step. */
  times: z.record(z.string(), z.number()),
  /** UTC, ISO 8601. */
  createdAt: z.string(),
});

export type Proof = z.infer<typeof Proof>;

const fileName = 'environment.json';

/** The proof in an environment's folder; undefined when there is none, or one that is not whole. */
export async function readProof(folder: string): Promise<Proof | undefined> {
  const text = await unlessMissing(readFile(join(folder, fileName), 'utf8'));
  if (text === undefined) return undefined;
  const parsed = Proof.safeParse(parseJson(text));
  return parsed.success ? parsed.data : undefined;
}

export async function writeProof(folder: string, proof: Proof): Promise<void> {
  await writeFileAtomic(join(folder, fileName), `${JSON.stringify(proof, null, 2)}\n`, { mode: 0o444 });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
