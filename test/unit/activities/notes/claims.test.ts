import { expect, test } from 'vitest';

import { misfits } from '../../../../activities/notes/claims.ts';

const loss = { name: 'val/loss', goal: 'minimize' } as const;
const accuracy = { name: 'val/acc', goal: 'maximize' } as const;

test.each([
  'Warm-up improves the model.',
  'The schedule is better than the baseline.',
  'It is not only different, it is better.',
  'Warm-up lowers val/loss by 2 %.',
  'A lower loss was reached.',
  'It outperforms the baseline, though not by much.',
  '预热使验证损失降低。',
  '效果更好。',
  '该方法不仅稳定，而且优于基线。',
  '训练有效。',
])('inside noise is never called better: %s', (text) => {
  expect(misfits(text, 'inside-noise', loss).join()).toMatch(/says better/);
});

test.each([
  'The change makes no difference that the noise between seeds would let one see.',
  'It is not better than the baseline.',
  'The hypothesis stands neither better nor worse than before.',
  'More seeds would tell whether it improves the loss.',
  'Nothing shows that warm-up helps.',
  '没有证据表明该方法更好。',
  '是否更好尚不清楚。',
  '损失没有降低。',
])('inside noise may be told as what it is: %s', (text) => {
  expect(misfits(text, 'inside-noise', loss)).toEqual([]);
});

test('a direction is read by what the metric is for', () => {
  expect(misfits('val/acc rose.', 'inside-noise', accuracy)).toHaveLength(1);
  expect(misfits('val/loss rose.', 'better', loss)).toEqual(['"rose" says worse, but the verdict is better']);
  expect(misfits('val/acc rose.', 'better', accuracy)).toEqual([]);
  expect(misfits('准确率下降。', 'better', accuracy)).toHaveLength(1);
  expect(misfits('The learning rate rose in steps.', 'inside-noise', loss)).toEqual([]);
});

test('what was measured is not turned round', () => {
  expect(misfits('It got worse.', 'better', loss)).toHaveLength(1);
  expect(misfits('It got better.', 'worse', loss)).toHaveLength(1);
  expect(misfits('It got better.', 'better', loss)).toEqual([]);
  expect(misfits('It got better.', 'unmeasured', loss)).toHaveLength(1);
});
