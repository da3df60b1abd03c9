import { describe, expect, it } from 'vitest';

import { ConfigError } from '../../../../infra/config/config-error.ts';
import { loadConfig } from '../../../../infra/config/load-config.ts';

const control = {
  GITHUB_TOKEN: 'token',
  GITHUB_WEBHOOK_SECRET: 'secret',
  QIZHI_USERNAME: 'researcher',
  QIZHI_PASSWORD: 'password',
};

function load(env: Record<string, string>) {
  return loadConfig({ env: { ...control, ...env }, zones: ['control'], cwd: '/tmp', webhook: true });
}

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    load(env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    expect(error.message).not.toContain('canary');
    return error.problems.map(({ key }) => key);
  }
}

describe('the settings of the page', () => {
  it('want a token where other machines can look', () => {
    expect(problemsOf({})).toEqual([]);
    expect(problemsOf({ HEPHAESTUS_PAGE_HOST: '0.0.0.0' })).toEqual(['HEPHAESTUS_PAGE_TOKEN']);
    expect(problemsOf({ HEPHAESTUS_PAGE_HOST: '::' })).toEqual(['HEPHAESTUS_PAGE_TOKEN']);
    expect(problemsOf({ HEPHAESTUS_PAGE_URL: 'https://lab.example' })).toEqual(['HEPHAESTUS_PAGE_TOKEN']);
    expect(problemsOf({ HEPHAESTUS_PAGE_TOKEN: 'canary' })).toEqual(['HEPHAESTUS_PAGE_TOKEN']);
    expect(
      problemsOf({ HEPHAESTUS_PAGE_HOST: '0.0.0.0', HEPHAESTUS_PAGE_TOKEN: 'canary-long-enough' }),
    ).toEqual([]);
  });
});

describe('the settings of notifications', () => {
  it('are none without a channel', () => {
    expect(load({}).notifications).toBeNull();
  });

  it('hold every channel that is given', () => {
    const { notifications } = load({
      HEPHAESTUS_NOTIFY_EMAIL_TO: 'pi@lab.example, other@lab.example',
      HEPHAESTUS_NOTIFY_EMAIL_FROM: 'hephaestus@lab.example',
      HEPHAESTUS_SMTP_URL: 'smtp://u:p@mail.example:587',
      HEPHAESTUS_NOTIFY_FEISHU_URL: 'https://open.feishu.example/hook/x',
      HEPHAESTUS_NOTIFY_QUIET: '22:00-08:00',
      HEPHAESTUS_NOTIFY_DIGEST: '18:30',
      HEPHAESTUS_NOTIFY_TIME_ZONE: 'Asia/Shanghai',
    });
    expect(notifications?.channels.map(({ kind }) => kind)).toEqual(['email', 'feishu']);
    expect(notifications?.times).toEqual({
      timeZone: 'Asia/Shanghai',
      quiet: { from: 1320, until: 480 },
      digest: 1110,
    });
  });

  it.each<[Record<string, string>, readonly string[]]>([
    [
      { HEPHAESTUS_NOTIFY_EMAIL_TO: 'pi@lab.example' },
      ['HEPHAESTUS_SMTP_URL', 'HEPHAESTUS_NOTIFY_EMAIL_FROM'],
    ],
    [{ HEPHAESTUS_NOTIFY_SLACK_URL: 'canary-no-address' }, ['HEPHAESTUS_NOTIFY_SLACK_URL']],
    [{ HEPHAESTUS_NOTIFY_QUIET: '22-8' }, ['HEPHAESTUS_NOTIFY_QUIET']],
    [{ HEPHAESTUS_NOTIFY_QUIET: '08:00-08:00' }, ['HEPHAESTUS_NOTIFY_QUIET']],
    [{ HEPHAESTUS_NOTIFY_DIGEST: '25:00' }, ['HEPHAESTUS_NOTIFY_DIGEST']],
    [{ HEPHAESTUS_NOTIFY_TIME_ZONE: 'Middle/Earth' }, ['HEPHAESTUS_NOTIFY_TIME_ZONE']],
  ])('complain of %j', (env, keys) => {
    expect(problemsOf(env)).toEqual(keys);
  });
});
