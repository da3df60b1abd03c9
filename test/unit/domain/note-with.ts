import { exampleNote } from '../../support/example-note.ts';

/** The note with the value at a dotted path replaced; `undefined` removes it. */
export function noteWith(path: string, value: unknown): Record<string, unknown> {
  const note: Record<string, unknown> = { ...structuredClone(exampleNote()) };
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  let inner = note;
  for (const key of keys) inner = inner[key] as Record<string, unknown>;
  if (value === undefined) Reflect.deleteProperty(inner, last);
  else inner[last] = value;
  return note;
}
