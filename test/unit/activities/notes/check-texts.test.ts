import { expect, test } from 'vitest';

import { checkTexts } from '../../../../activities/notes/write-texts.ts';
import { noteFacts } from '../../../support/note-facts.ts';

const good = { claim: 'It is lower.', reading: 'By 0.1033.', limits: 'Few seeds.', next: 'More.' };

test('takes a JSON object, also inside a code fence', () => {
  const answer = `\`\`\`json\n${JSON.stringify(good)}\n\`\`\``;
  expect(checkTexts(answer, noteFacts())).toEqual({ texts: good, problems: [] });
});

test.each([
  ['no JSON', 'It went well.', /not one JSON object/],
  ['cut JSON', '{"claim": "a"', /not one JSON object/],
  ['a part missing', JSON.stringify({ ...good, next: undefined }), /next/],
  ['one too many', JSON.stringify({ ...good, verdict: 'x' }), /verdict/],
  ['an empty part', JSON.stringify({ ...good, limits: '  ' }), /limits/],
  [
    'an invented number',
    JSON.stringify({ ...good, claim: 'It is lower by 31.7 %.' }),
    /claim: the number 31\.7/,
  ],
])('%s is a problem', (_name, answer, problem) => {
  expect(checkTexts(answer, noteFacts()).problems.join('\n')).toMatch(problem);
});
