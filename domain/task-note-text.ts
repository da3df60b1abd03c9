import { parseDocument, stringify } from 'yaml';
import type { z } from 'zod';

import { TaskNote } from './task-note.ts';

/** One thing wrong with a task note: where (dotted path), what stands there, and what was expected. */
export interface TaskNoteProblem {
  readonly path: string;
  readonly value: string;
  readonly expected: string;
}

/** A task note as read: its validated front matter and the Markdown below it. */
export interface TaskNoteText {
  readonly note: TaskNote;
  readonly body: string;
}

export type TaskNoteResult =
  | ({ readonly status: 'valid' } & TaskNoteText)
  | { readonly status: 'invalid'; readonly problems: readonly TaskNoteProblem[] };

const frontMatter = /^\uFEFF?---[ \t]*\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)([\s\S]*)$/;

/** Reads the text of a `QWEN_TASK.md`; never throws: whatever is wrong comes back as a list of all problems. */
export function parseTaskNote(text: string): TaskNoteResult {
  const match = frontMatter.exec(text);
  if (match?.[1] === undefined) {
    return invalid([
      {
        path: '',
        value: shorten(text),
        expected: 'YAML front matter between two lines of "---", then Markdown',
      },
    ]);
  }
  const document = parseDocument(match[1], { uniqueKeys: true });
  if (document.errors.length > 0) {
    return invalid(
      document.errors.map((error) => ({
        path: '',
        value: shorten(error.message),
        expected: 'YAML front matter',
      })),
    );
  }
  let data: unknown;
  try {
    data = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    // Aliases that grow without bound, or that point at nothing.
    const value = shorten(error instanceof Error ? error.message : String(error));
    return invalid([{ path: '', value, expected: 'YAML front matter without such aliases' }]);
  }
  const result = TaskNote.safeParse(data);
  if (!result.success) return invalid(result.error.issues.flatMap((issue) => describe(issue, data)));
  return { status: 'valid', note: result.data, body: match[2] ?? '' };
}

/** Writes a task note as text; `parseTaskNote` reads the same note back. */
export function formatTaskNote({ note, body }: TaskNoteText): string {
  return `---\n${stringify(note, { lineWidth: 0 })}---\n${body}`;
}

/** The problems as lines for people (and for the planning agent that must mend them). */
export function formatProblems(problems: readonly TaskNoteProblem[]): string {
  return problems
    .map(({ path, value, expected }) => `${path === '' ? 'task note' : path}: ${expected} (found ${value})`)
    .join('\n');
}

function describe(issue: z.core.$ZodIssue, data: unknown): TaskNoteProblem[] {
  const value = shorten(shapeOf(valueAt(data, issue.path)));
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...issue.path, key].join('.'),
      value: 'an unknown key',
      expected: 'no such key; see docs/task-note.schema.json',
    }));
  }
  return [{ path: issue.path.join('.'), value, expected: issue.message }];
}

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  let value = data;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

/** Of a list or of fields only the outline: with aliases they can be rings, or larger than any memory. */
function shapeOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return `the fields ${Object.keys(value).join(', ')}`;
  // JSON has no word for these.
  return typeof value === 'number' ? String(value) : JSON.stringify(value);
}

function invalid(problems: readonly TaskNoteProblem[]): TaskNoteResult {
  return { status: 'invalid', problems };
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
