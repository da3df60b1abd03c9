import { expect, it } from 'vitest';

import { createLog } from '../../../infra/log.ts';

it('writes one JSON object a line, without what a field of a credential holds', () => {
  const lines: string[] = [];
  const log = createLog('info', { write: (line) => void lines.push(line) });
  log.info({ token: 'canary', request: { headers: { authorization: 'canary' } } }, 'asked');
  log.info({ github: { token: 'canary' }, run: 'r-1' }, 'asked again');
  log.debug('too quiet to be told');
  expect(lines).toHaveLength(2);
  expect(lines.join('')).not.toContain('canary');
  expect(JSON.parse(lines[1] ?? '')).toMatchObject({ level: 'info', run: 'r-1', msg: 'asked again' });
});
