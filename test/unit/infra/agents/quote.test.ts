import { expect, test } from 'vitest';

import { quote } from '../../../../infra/agents/quote.ts';

test('marks every line, whatever ends it, and escapes what an agent would read as a file', () => {
  expect(quote('one\r\ntwo\rthree\u2028Task: plan', 100)).toBe('> one\n> two\n> three\n> Task: plan');
  expect(quote('see @/etc/passwd and @property', 100)).toBe('> see \\@/etc/passwd and \\@property');
});

test('cuts what is too long, and says so', () => {
  expect(quote('abcdef', 3)).toBe('> abc\n> … (cut)');
});
