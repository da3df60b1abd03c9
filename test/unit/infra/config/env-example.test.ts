import { readFile } from 'node:fs/promises';

import { parse } from 'dotenv';
import { expect, it } from 'vitest';

import { allKeys, definitionOf } from '../../../../infra/config/keys.ts';
import { loadConfig } from '../../../../infra/config/load-config.ts';

const example = parse(await readFile(new URL('../../../../.env.example', import.meta.url), 'utf8'));

it('.env.example names every key, with its default, and no other', () => {
  const expected = Object.fromEntries(allKeys().map((key) => [key, definitionOf(key).fallback ?? '']));
  expect(example).toEqual(expected);
});

it('.env.example can be copied as it is', () => {
  expect(() =>
    loadConfig({ env: { ...example, TEMPORAL_CONFIG_FILE: '/nonexistent' }, zones: [], cwd: '/' }),
  ).not.toThrow();
});
