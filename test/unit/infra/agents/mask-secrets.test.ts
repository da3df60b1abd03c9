import { expect, test } from 'vitest';

import { maskSecrets } from '../../../../infra/agents/mask-secrets.ts';

test('masks a secret as it is, inside JSON and inside a URL', () => {
  const mask = maskSecrets(['pa"ss/word', 'pa"ss/word-longer']);
  expect(mask('a pa"ss/word b')).toBe('a *** b');
  expect(mask(JSON.stringify({ key: 'pa"ss/word' }))).toBe('{"key":"***"}');
  expect(mask('http://x/?k=pa%22ss%2Fword')).toBe('http://x/?k=***');
  expect(mask('pa"ss/word-longer')).toBe('***');
});

test('leaves the text alone when there is nothing to hide', () => {
  expect(maskSecrets(['', 'abc'])('an abc of it')).toBe('an abc of it');
});
