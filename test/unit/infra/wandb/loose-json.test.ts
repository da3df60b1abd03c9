import { describe, expect, it } from 'vitest';

import { parseLooseJson } from '../../../../infra/wandb/loose-json.ts';

describe('parseLooseJson', () => {
  it('reads numbers that are not finite, and only these', () => {
    const text = '{"a":NaN,"b":[-Infinity,Infinity,1e3],"NaN":"is \\"NaN\\", not Infinity","c":{"d":NaN}}';
    const rest = { NaN: 'is "NaN", not Infinity' };
    expect(parseLooseJson(text)).toEqual({ ...rest, a: null, b: [null, null, 1000], c: { d: null } });
    expect(parseLooseJson(text, 'text')).toEqual({
      ...rest,
      a: 'NaN',
      b: ['-Infinity', 'Infinity', 1000],
      c: { d: 'NaN' },
    });
  });

  it.each(['', '{', '<html>NaN</html>', 'NaNa', '{"a":Infinity'])('refuses %j', (text) => {
    expect(() => parseLooseJson(text)).toThrow(SyntaxError);
  });
});
