import { expect, test } from 'vitest';

import { findSecrets } from '../../../../activities/coding/find-secrets.ts';

test.each([
  ['-----BEGIN OPENSSH PRIVATE KEY-----', 'a private key'],
  [`token = "ghp_${'a1'.repeat(18)}"`, 'a GitHub token'],
  [`AKIA${'A1B2'.repeat(4)}`, 'an AWS access key'],
  [`key: AIza${'x'.repeat(35)}`, 'a Google API key'],
  [`sk-${'abc123'.repeat(5)}`, 'an API key of a model'],
  [`WANDB_API_KEY=${'0a'.repeat(20)}`, 'a W&B key'],
  [`glpat-${'a'.repeat(20)}`, 'what @secretlint/secretlint-rule-gitlab calls GITLAB_PERSONAL_ACCESS_TOKEN'],
  [
    `# secretlint-disable\nglpat-${'a'.repeat(20)}\n# secretlint-enable`,
    'what @secretlint/secretlint-rule-gitlab calls GITLAB_PERSONAL_ACCESS_TOKEN',
  ],
])('finds %s', async (text, kind) => {
  expect(await findSecrets('train.py', `before\n${text}\nafter`, [])).toEqual([kind]);
});

test('finds its own credentials, and names none', async () => {
  const found = await findSecrets('train.py', 'x = "my-own-token-123"', ['my-own-token-123', '']);
  expect(found).toHaveLength(1);
  expect(found.join()).not.toContain('my-own-token-123');
});

test('never repeats what it found', async () => {
  const secret = `glpat-${'b'.repeat(20)}`;
  expect((await findSecrets('a.py', secret, [])).join()).not.toContain(secret);
});

test('leaves ordinary code alone', async () => {
  const code =
    'risk-adjusted = 1\nsha = "1056a6117bc51054bcebe88db82778d99bf7e91b"\nask_sk = desk-top-computers-are-nice';
  expect(await findSecrets('train.py', code, [''])).toEqual([]);
});
