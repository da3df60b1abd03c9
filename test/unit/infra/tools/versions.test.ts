import { describe, expect, it } from 'vitest';

import { childEnvironment, toolEnvironment } from '../../../../infra/tools/tool-environment.ts';
import { describeRange, fits, parseVersion } from '../../../../infra/tools/versions.ts';

describe('parseVersion', () => {
  it.each([
    ['temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)', [1, 9, 1]],
    ['uv 0.13.9 (x86_64-unknown-linux-gnu)', [0, 13, 9]],
    ['wandb, version 0.31.0', [0, 31, 0]],
    ['git version 2.39', [2, 39, 0]],
    ['Python 3.14.0rc1', [3, 14, 0]],
  ])('reads %s', (text, version) => {
    expect(parseVersion(text)).toEqual(version);
  });

  it('finds none in other words', () => {
    expect(parseVersion('command not found')).toBeUndefined();
  });
});

describe('fits', () => {
  const range = { atLeast: [0, 13, 0], below: [0, 14, 0] } as const;

  it.each([
    [[0, 12, 9], false],
    [[0, 13, 0], true],
    [[0, 13, 99], true],
    [[0, 14, 0], false],
    [[1, 13, 0], false],
  ] as const)('%j: %s', (version, expected) => {
    expect(fits(version, range)).toBe(expected);
  });

  it('compares numbers, not text', () => {
    expect(fits([1, 10, 0], { atLeast: [1, 9, 0] })).toBe(true);
  });

  it('says what it wants', () => {
    expect(describeRange(range)).toBe('0.13.0 or newer, below 0.14.0');
  });
});

describe('the environment of child processes', () => {
  const environment = {
    PATH: '/bin',
    LC_ALL: 'C',
    SSL_CERT_FILE: '/ca.pem',
    UV_INDEX_LAB_PASSWORD: 'secret-1',
    PIP_INDEX_URL: 'https://user:secret-2@pypi.lab',
    npm_config_cafile: '/ca.pem',
    npm_config_local_prefix: '/outer',
    GITHUB_TOKEN: 'secret-3',
    WANDB_API_KEY: 'secret-4',
    HOME: undefined,
  };

  it('gives an installer its package index and certificates, and no credential of the project', () => {
    expect(toolEnvironment(environment)).toEqual({
      PATH: '/bin',
      LC_ALL: 'C',
      SSL_CERT_FILE: '/ca.pem',
      UV_INDEX_LAB_PASSWORD: 'secret-1',
      PIP_INDEX_URL: 'https://user:secret-2@pypi.lab',
      npm_config_cafile: '/ca.pem',
    });
  });

  it('gives any other program nothing of the package index', () => {
    expect(childEnvironment(environment)).toEqual({ PATH: '/bin', LC_ALL: 'C', SSL_CERT_FILE: '/ca.pem' });
  });
});
