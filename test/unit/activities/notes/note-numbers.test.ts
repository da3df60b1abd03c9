import { expect, test } from 'vitest';

import { inventedNumbers } from '../../../../activities/notes/note-numbers.ts';

const facts = {
  values: [0.1967, 0.2031],
  delta: -0.0064,
  relative: -0.0315,
  hypothesis: 'lowers it by at least 2 % in 40 epochs on 1,437 images at 3e-4',
  sha: 'a1b2c3d4',
  gpu: 'H100',
  job: 'job-77f0',
};

test.each([
  ['as it is', 'the loss is 0.1967'],
  ['rounded', 'from 0.203 to 0.2'],
  ['without its sign', 'lower by 0.0064'],
  ['as a percentage', 'lower by 3.2 %, or 3%'],
  ['from a sentence', 'at least 2 % in 40 epochs on 1437 images, rate 0.0003'],
  ['counted', 'over 2 runs'],
  ['inside a word of the facts', 'on an H100 at a1b2c3d4, in job-77f0'],
  ['no number at all', 'it fell, in all seeds'],
])('a number %s is a fact', (_name, text) => {
  expect(inventedNumbers(text, facts)).toEqual([]);
});

test.each([
  ['invented', 'the loss is 0.15', ['0.15']],
  ['rounded to nothing', 'the loss fell to 0', ['0']],
  ['rounded wrongly', 'from 0.204', ['0.204']],
  ['more exact than the fact', 'the loss is 0.19674', ['0.19674']],
  ['a percentage', 'better by 97 %', ['97 %']],
  ['glued to a unit', 'ten times faster, 10x', ['10']],
  ['part of a hash', 'in 3 steps', ['3']],
  ['inside a strange word', 'an A900', ['900']],
  ['in other digits', 'lower by ٩', ['٩']],
  ['a fraction sign', 'by ½', ['½']],
])('%s: %s', (_name, text, numbers) => {
  expect(inventedNumbers(text, facts).map((number) => number.replace(/(\d)%/, '$1 %'))).toEqual(numbers);
});
