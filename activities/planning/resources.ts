import { readFile } from 'node:fs/promises';

import { parse, YAMLParseError } from 'yaml';
import { z } from 'zod';

import { Failure } from '../../infra/failure.ts';

const Group = z.strictObject({
  name: z.string().min(1),
  workspace_id: z.string().regex(/^ws-/, 'must begin with "ws-"'),
  project_id: z.string().regex(/^project-/, 'must begin with "project-"'),
  logic_compute_group_id: z.string().regex(/^lcg-/, 'must begin with "lcg-"'),
  specs: z
    .array(
      z.strictObject({ spec_id: z.string().min(1), name: z.string().optional(), gpus: z.number().min(0) }),
    )
    .min(1),
  /** Any image when there is none. */
  images: z.array(z.string().min(1)).default([]),
});

/** What may be asked of the cluster, as a person wrote it down in the file of `HEPHAESTUS_RESOURCES`. */
export const Resources = z.strictObject({ groups: z.array(Group).min(1) });
export type Resources = z.infer<typeof Resources>;

/** Null where no file is kept. Throws `TaskNoteInvalid`, naming the file and every problem, when it cannot be used. */
export async function readResources(file: string | undefined): Promise<Resources | null> {
  if (file === undefined) return null;
  const result = Resources.safeParse(await load(file));
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n');
  throw unusable(file, problems);
}

async function load(file: string): Promise<unknown> {
  try {
    return parse(await readFile(file, 'utf8'), { maxAliasCount: 100 });
  } catch (error) {
    const isForeseen = error instanceof YAMLParseError || (error instanceof Error && 'code' in error);
    if (!isForeseen) throw error;
    throw unusable(file, error.message);
  }
}

function unusable(file: string, problems: string): Failure {
  return new Failure(
    'TaskNoteInvalid',
    `the list of resources ${file} (HEPHAESTUS_RESOURCES) cannot be used, so no plan can be checked against it:\n${problems}`,
  );
}
