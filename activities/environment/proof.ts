import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';

/** `environment.json`: written last, so its presence is the only sign that an environment is whole and proven. */
export const Proof = z.object({
  schema: z.literal('hephaestus/environment/v1'),
  digest: z.string(),
  ingredients: z.record(z.string(), z.string()),
  python: z.object({ version: z.string(), executable: z.string(), managed: z.boolean() }),
  uv: z.string(),
  packages: z.array(z.object({ name: z.string(), version: z.string() })),
  files: z.int(),
  bytes: z.int(),
  /** Path of the environment as the job sees it; scripts and the activate script hold it. */
  path: z.string(),
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
  const text = await readFile(join(folder, fileName), 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) {
      return undefined;
    }
    throw error;
  });
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
