import { ImageType } from './settings.ts';

export type FieldKind = 'string' | 'int' | 'int64' | 'number' | 'bool' | 'enum' | 'list' | 'texts' | 'object';

/** The fields that a request may have, by their names as the platform writes them. */
export type Fields = Readonly<Record<string, FieldKind>>;
export type Values = Readonly<Record<string, unknown>>;

/** What the platform's parser says of a body, undefined when it takes it. `raw`: its text, in which the place is told. */
export function fieldTrouble(values: Values, fields: Fields, raw: string): string | undefined {
  for (const [name, content] of Object.entries(values)) {
    const place = `proto: (line 1:${Math.max(1, raw.indexOf(`"${name}"`) + 1)})`;
    const kind = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (kind === undefined) return `${place}: unknown field "${name}"`;
    if (fits(kind, content)) continue;
    const camel = name.replaceAll(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
    return `${place}: invalid value for ${kind} field ${camel}: ${JSON.stringify(content)}`;
  }
  return undefined;
}

/** The same values under the names that the platform writes: `/api/v2` takes them in any case, with underscores or not. */
export function canonicalNames(values: Values, fields: Fields): Values {
  const names = new Map(Object.keys(fields).map((name) => [plain(name), name]));
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [names.get(plain(name)) ?? name, value]),
  );
}

function plain(name: string): string {
  return name.replaceAll('_', '').toLowerCase();
}

function fits(kind: FieldKind, value: unknown): boolean {
  switch (kind) {
    case 'string':
      return typeof value === 'string';
    case 'int':
      return Number.isInteger(value);
    case 'int64':
      return Number.isInteger(value) || (typeof value === 'string' && /^\d+$/.test(value));
    case 'number':
      return typeof value === 'number';
    case 'bool':
      return typeof value === 'boolean';
    case 'enum':
      return ImageType.safeParse(value).success;
    case 'list':
      return Array.isArray(value) && value.every(isRecord);
    case 'texts':
      return Array.isArray(value) && value.every((each) => typeof each === 'string');
    case 'object':
      return isRecord(value);
  }
}

export function isRecord(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function listOf(value: unknown): readonly Values[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}
