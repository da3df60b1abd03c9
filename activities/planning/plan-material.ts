import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { stringify } from 'yaml';
import { z } from 'zod';

import { TaskNote } from '../../domain/task-note.ts';
import type { CataloguedNote } from '../notes/catalogued-note.ts';
import type { NearNote } from '../notes/near-notes.ts';
import { exampleNote } from './example-note.ts';
import type { PlanInput } from './interface.ts';
import type { Resources } from './resources.ts';

/** What is known beside the idea and the repository. */
export interface Known {
  readonly resources: Resources | null;
  readonly near: readonly NearNote[];
}

/** What others wrote reaches the agent as files to read, never as words of the prompt. Returns the names of the files. */
export async function writeMaterial(
  folder: string,
  { description }: PlanInput,
  { resources, near }: Known,
): Promise<void> {
  const { readme, files, documents = [] } = description;
  const schema = z.toJSONSchema(TaskNote, { io: 'input' });
  const material: Record<string, string> = {
    'README.md': readme === '' ? '(the repository has no README.md)\n' : readme,
    'FILES.txt': `${files.join('\n')}\n`,
    'task-note.schema.json': `${JSON.stringify(schema, null, 2)}\n`,
    'EXAMPLE.md': exampleNote,
    'RESOURCES.yaml':
      resources === null ? '# nothing is known; take what the repository says\n' : stringify(resources),
    'EARLIER.md': near.length === 0 ? 'There is no earlier note about this.\n' : near.map(earlier).join('\n'),
  };
  for (const { path, text } of documents) material[`repository/${path}`] = text;
  for (const [name, text] of Object.entries(material)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}

function earlier({ note, reason }: NearNote): string {
  const {
    title,
    path,
    status,
    verdict,
    metric,
    value,
    baselineValue,
    gpuHours,
    seeds,
    hypothesis,
    claim,
    id,
  } = note;
  const numbers = [
    `${metric} ${shown(value)}, baseline ${shown(baselineValue)}`,
    `${seeds.length} seeds, ${shown(gpuHours)} GPU hours`,
  ].join('; ');
  return [
    `## ${title}`,
    '',
    `- experiment ${id || '(a note of a person)'}, file ${path}, near because: ${reason}`,
    ...(note.isExperiment ? [`- outcome: ${status}, verdict: ${verdict}`, `- ${numbers}`] : []),
    ...(hypothesis === '' ? [] : [`- hypothesis: ${hypothesis}`]),
    `- claim: ${claim.slice(0, 600)}`,
    '',
  ].join('\n');
}

function shown(value: CataloguedNote['value']): string {
  return value === null ? 'unknown' : String(value);
}
