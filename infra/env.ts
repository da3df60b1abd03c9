import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { parse } from 'dotenv';

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment of this process as it is, without any file: what child processes are given an allowlist of. */
export function processEnvironment(): Environment {
  return { ...process.env };
}

/**
 * The environment of this process over the `.env` file in `directory`: what both name, the environment wins. The file
 * may be missing; one that cannot be read throws the system's error.
 */
export function readEnvironment(directory: string): Environment {
  return { ...readDotenv(join(directory, '.env')), ...process.env };
}

function readDotenv(path: string): Environment {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw error;
  }
  return parse(text);
}
