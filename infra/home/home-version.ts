import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';

import { unlessMissing } from '../unless-missing.ts';

const HomeFile = z.object({
  schema: z.string(),
  /** Of the Temporal server that wrote the database last, for example `1.32.0`. */
  temporal: z.string().nullable(),
});
type HomeFile = z.infer<typeof HomeFile>;

/**
 * - `current`: made by this version, or newly made
 * - `older`: can be upgraded; `version` 0 is a home from before there were versions
 * - `newer`, `unreadable`: not to be touched
 */
export type HomeState =
  | { readonly status: 'current'; readonly temporal: string | null }
  | { readonly status: 'older'; readonly version: number }
  | { readonly status: 'newer'; readonly found: string }
  | { readonly status: 'unreadable'; readonly found: string };

/** Counts up with every change of what stands where in a home. */
export const homeVersion = 1;
const prefix = 'hephaestus/home/v';

/** Which version of this program made the home; writes nothing. */
export async function readHomeState(home: string): Promise<HomeState> {
  const text = await unlessMissing(readFile(homeFile(home), 'utf8'));
  if (text === undefined) return { status: 'older', version: 0 };
  const parsed = parse(text);
  if (parsed === null) return { status: 'unreadable', found: text.slice(0, 80) };
  const version = Number(parsed.schema.slice(prefix.length));
  if (!parsed.schema.startsWith(prefix) || !Number.isInteger(version) || version < 1) {
    return { status: 'unreadable', found: parsed.schema.slice(0, 80) };
  }
  if (version > homeVersion) return { status: 'newer', found: parsed.schema };
  return version < homeVersion
    ? { status: 'older', version }
    : { status: 'current', temporal: parsed.temporal };
}

/** Writes down that the home is of this version now, and which Temporal server its database is of. */
export async function writeHomeVersion(home: string, temporal: string | null): Promise<void> {
  const content: HomeFile = { schema: `${prefix}${homeVersion}`, temporal };
  await writeFileAtomic(homeFile(home), `${JSON.stringify(content)}\n`, { mode: 0o600 });
}

export function homeFile(home: string): string {
  return join(home, 'home.json');
}

function parse(text: string): HomeFile | null {
  try {
    return HomeFile.safeParse(JSON.parse(text)).data ?? null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
