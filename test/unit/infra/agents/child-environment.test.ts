import { expect, test } from 'vitest';

import { childEnvironment, proxySecrets } from '../../../../infra/agents/child-environment.ts';

test('lets nothing through that is not on the list', () => {
  const worker = {
    PATH: '/bin',
    HTTPS_PROXY: 'http://p',
    GITHUB_TOKEN: 't',
    WANDB_API_KEY: 'w',
    NODE_OPTIONS: '-r x',
    LANG: undefined,
  };
  expect(childEnvironment(worker)).toEqual({ PATH: '/bin', HTTPS_PROXY: 'http://p' });
});

test('knows the password of a proxy as a secret', () => {
  expect(proxySecrets({ https_proxy: 'http://me:p%40ss@proxy:1', NO_PROXY: 'a' })).toEqual([
    'p%40ss',
    'p@ss',
  ]);
});
