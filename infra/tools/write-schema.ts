import { fileURLToPath } from 'node:url';

import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';

import { TaskNote } from '../../domain/task-note.ts';
import { jobTablesMarkdown } from './job-tables.ts';

const docs = new URL('../../docs/', import.meta.url);

/** The JSON Schema of a task note as a person writes it: what has a default may be left out. */
export function taskNoteJsonSchema(): string {
  const schema = z.toJSONSchema(TaskNote, { io: 'input' });
  const title = 'Hephaestus task note (front matter of QWEN_TASK.md)';
  return `${JSON.stringify({ title, ...schema }, null, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFileAtomic(fileURLToPath(new URL('task-note.schema.json', docs)), taskNoteJsonSchema());
  await writeFileAtomic(fileURLToPath(new URL('jobs.md', docs)), jobTablesMarkdown());
}
