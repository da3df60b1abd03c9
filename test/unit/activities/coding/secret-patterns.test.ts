import { expect, test } from 'vitest';

import { findSecrets } from '../../../../activities/coding/secret-patterns.ts';

test.each([
  ['-----BEGIN OPENSSH PRIVATE KEY-----', 'a private key'],
  [`token = "ghp_${'a1'.repeat(18)}"`, 'a GitHub token'],
  [`AKIA${'A1B2'.repeat(4)}`, 'an AWS access key'],
  [`key: AIza${'x'.repeat(35)}`, 'a Google API key'],
  [`sk-${'abc123'.repeat(5)}`, 'an API key of a model'],
  [`WANDB_API_KEY=${'0a'.repeat(20)}`, 'a W&B key'],
])('finds %s', (text, kind) => {
  expect(findSecrets(`before\n${text}\nafter`, [])).toEqual([kind]);
});

test('finds its own credentials, and names none', () => {
  const found = findSecrets('x = "my-own-token-123"', ['my-own-token-123', '']);
  expect(found).toHaveLength(1);
  expect(found.join()).not.toContain('my-own-token-123');
});

test('leaves ordinary code alone', () => {
  const code =
    'risk-adjusted = 1\nsha = "1056a6117bc51054bcebe88db82778d99bf7e91b"\nask_sk = desk-top-computers-are-nice';
  expect(findSecrets(code, [''])).toEqual([]);
});
