import { join } from 'node:path';

import { expect, it } from 'vitest';

import { toolsRoot, userToolsRoot } from '../../../../infra/tools/tools-root.ts';

it('a checkout keeps its tools in itself, whoever uses it', () => {
  const checkout = join(import.meta.dirname, '..', '..', '..', '..');
  expect(toolsRoot({ XDG_CACHE_HOME: '/var/cache' })).toBe(join(checkout, '.tools'));
});

it.each([
  [{ XDG_CACHE_HOME: '/var/cache', HOME: '/home/ann' }, '/var/cache/hephaestus/tools'],
  [{ HOME: '/home/ann' }, '/home/ann/.cache/hephaestus/tools'],
  // The specification tells to ignore one that is not absolute.
  [{ XDG_CACHE_HOME: 'cache', HOME: '/home/ann' }, '/home/ann/.cache/hephaestus/tools'],
])('an installed package keeps them in the cache of the user (%j)', (environment, expected) => {
  expect(userToolsRoot(environment)).toBe(expected);
});
