import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { parse } from 'dotenv';

import type { ConfigProblem } from './config-error.ts';
import { allKeys, definitionOf } from './keys.ts';
import { given } from './reader.ts';

/**
 * What is wrong with the `.env` file of a folder as a file: one that everybody may read must not hold a credential, and a
 * line that is no setting is a setting that does nothing. Nothing where there is no such file.
 */
export function findEnvFileProblems(directory: string): ConfigProblem[] {
  const path = join(directory, '.env');
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return [];
  const text = readFileSync(path, 'utf8');
  const values = parse(text);
  const secrets = allKeys().filter(
    (key) => definitionOf(key).secrecy !== undefined && given(values, key) !== undefined,
  );
  const open = (found.mode & 0o004) !== 0 && secrets.length > 0;
  return [
    ...(open
      ? [
          {
            key: '.env',
            found: `"${path}", which everybody on this machine may read, with ${secrets.join(', ')} in it`,
            expected: 'one that others may not read',
            todo: `chmod 600 ${path}`,
          },
        ]
      : []),
    ...strayLines(text),
  ];
}

/** Lines that dotenv passes over in silence; told by number alone, since one may hold half a secret. */
function strayLines(text: string): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  /** The quote of a value that goes on over the next lines. */
  let quote: string | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    if (quote !== undefined) {
      if (line.includes(quote)) quote = undefined;
      continue;
    }
    if (/^\s*(?:#.*)?$/.test(line)) continue;
    const setting = /^\s*(?:export\s+)?[\w.-]+(?:\s*=|:\s)\s*(["'`])?(.*)$/.exec(line);
    if (setting === null) {
      problems.push({
        key: `.env, line ${index + 1}`,
        found: 'a line that is no setting',
        expected: 'KEY=value, or a comment that begins with #',
        todo: '',
      });
    } else if (setting[1] !== undefined && setting[2]?.includes(setting[1]) !== true) {
      quote = setting[1];
    }
  }
  return problems;
}
