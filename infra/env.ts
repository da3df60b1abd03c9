import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { parse } from 'dotenv';

import { ConfigError, type ConfigProblem } from './config/config-error.ts';

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment of this process as it is, without any file: what child processes are given an allowlist of. */
export function processEnvironment(): Environment {
  return { ...process.env };
}

/**
 * The environment of this process over the `.env` file in `directory`: what both name, the environment wins. The file
 * may be missing; throws `ConfigError` for one that cannot be read.
 */
export function readEnvironment(directory: string): Environment {
  return { ...readDotenv(join(directory, '.env')), ...process.env };
}

function readDotenv(path: string): Environment {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    if (error.code === 'ENOENT') return {};
    throw new ConfigError([unreadable(path, String(error.code))]);
  }
  return parse(text);
}

function unreadable(path: string, code: string): ConfigProblem {
  const expected = 'a file that this user may read';
  const todo = 'run as its owner, or mend its permissions (chmod 600, chown)';
  return { key: path, found: `one that cannot be read (${code})`, expected, todo };
}
