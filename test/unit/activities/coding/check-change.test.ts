import { expect, test } from 'vitest';

import { isAllowed } from '../../../../activities/coding/check-change.ts';

test.each([
  ['train.py', ['train.py'], true],
  ['configs/a/b.yaml', ['configs/**'], true],
  ['train.py', ['*.py'], true],
  ['src/train.py', ['*.py'], false],
  ['configs', ['configs/**'], false],
  ['configs2/a.yaml', ['configs/**'], false],
  ['.github/workflows/x.yml', ['**'], false],
  ['.github/workflows/x.yml', ['.github/**'], true],
  ['odd[1].py', ['odd[1].py'], true],
])('%s against %j: %s', (path, globs, allowed) => {
  expect(isAllowed(path, globs)).toBe(allowed);
});
