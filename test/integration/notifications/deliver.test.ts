import { createHmac } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { createNotificationsActivities } from '../../../activities/notifications/create-notifications-activities.ts';
import type { Delivery, NotificationEvent } from '../../../domain/notification.ts';
import { freePort } from '../../../infra/free-port.ts';
import type { NotificationChannel } from '../../../infra/settings.ts';
import { startMailServer, startReceiver, type Mood } from './receivers.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hephaestus-notify-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const event: NotificationEvent = {
  key: 'warmup/run/decision/now',
  kind: 'decision',
  experimentId: 'warmup',
  title: 'Warm-up <!channel> *helps* @all [here](http://evil.example)',
  phase: 'deciding',
  sentence: 'Merge, reject, revise or rerun?',
  verdict: 'Better: 0.235 against 0.255.',
  cost: { gpuHours: 3, tokens: 12_000 },
  links: [{ label: 'pull request #7', url: 'https://github.example/lab/digits/pull/7' }],
};

let deliveries = 0;

/** Sends through a process of its own, as it were: only what is on the disk is common to two of them. */
function sender(channel: NotificationChannel) {
  deliveries += 1;
  const id = `notification/${channel.kind}/${deliveries}`;
  return {
    id,
    send: async (): Promise<string> => {
      const activities = createNotificationsActivities({
        directory,
        settings: {
          channels: [channel],
          lookSeconds: 1,
          times: { timeZone: 'UTC', quiet: null, digest: null },
          pageUrl: null,
        },
      });
      const run = new MockActivityEnvironment().run((input: Delivery) => activities.deliver(input), {
        id,
        channel: channel.kind,
        events: [event],
      });
      try {
        await run;
        return 'sent';
      } catch (error) {
        const { type, message } = error as { readonly type: string; readonly message: string };
        expect(message).not.toMatch(/canary/);
        return type;
      }
    },
  };
}

async function receiver(moods: Mood[], answer?: object) {
  const started = await startReceiver(moods, answer);
  closers.push(started.close);
  return started;
}

async function mailServer() {
  const server = await startMailServer();
  closers.push(server.close);
  return server;
}

describe('a chat', () => {
  it('gets a card by the bot of Feishu, signed', async () => {
    const { url, posted } = await receiver(['takes']);
    expect(await sender({ kind: 'feishu', url, secret: 'canary-secret' }).send()).toBe('sent');
    const [{ body } = { body: {} }] = posted;
    const { timestamp, sign, card } = body as { timestamp: string; sign: string; card: { elements: object } };
    expect(sign).toBe(createHmac('sha256', `${timestamp}\ncanary-secret`).update('').digest('base64'));
    expect(Math.abs(Number(timestamp) * 1000 - Date.now())).toBeLessThan(60_000);
    const text = JSON.stringify(card.elements);
    expect(text).toContain('Better: 0.235 against 0.255.');
    expect(text).toContain('(https://github.example/lab/digits/pull/7)');
    expect(text).not.toMatch(/<!channel>|@all|\]\(http:\/\/evil/);
  });

  it('gets Markdown by the bot of DingTalk, signed in the address', async () => {
    const { url, posted } = await receiver(['takes'], { errcode: 0, errmsg: 'ok' });
    const hook = `${url}/robot/send?access_token=canary-token`;
    expect(await sender({ kind: 'dingtalk', url: hook, secret: 'canary-secret' }).send()).toBe('sent');
    const asked = new URL(posted[0]?.path ?? '', url).searchParams;
    const signed = `${asked.get('timestamp')}\ncanary-secret`;
    expect(asked.get('sign')).toBe(createHmac('sha256', 'canary-secret').update(signed).digest('base64'));
    expect(asked.get('access_token')).toBe('canary-token');
    expect(posted[0]?.body).toMatchObject({ msgtype: 'markdown' });
  });

  it('gets text by the webhook of Slack, whose words call nobody', async () => {
    const { url, posted } = await receiver(['takes']);
    expect(await sender({ kind: 'slack', url, secret: null }).send()).toBe('sent');
    const text = posted[0]?.body['text'];
    expect(text).toContain('&lt;!channel&gt;');
    expect(text).toContain('<https://github.example/lab/digits/pull/7|pull request #7>');
  });

  it('is refused when the bot says so with 200', async () => {
    const { url } = await receiver(['refuses']);
    expect(await sender({ kind: 'feishu', url: `${url}/canary`, secret: 'x' }).send()).toBe(
      'NotificationRefused',
    );
  });
});

describe("somebody's own program", () => {
  it('gets the events, signed, with an id that a repeat has too', async () => {
    const { url, posted } = await receiver(['silent', 'takes']);
    const { id, send } = sender({ kind: 'webhook', url, secret: 'canary-secret' });
    expect(await send()).toBe('NotificationUnavailable');
    expect(await send()).toBe('sent');
    expect(posted.map(({ headers }) => headers['x-hephaestus-delivery'])).toEqual([id, id]);
    expect(posted.map(({ body }) => body['repeat'])).toEqual([false, true]);
    const [first] = posted;
    const mac = createHmac('sha256', 'canary-secret').update(JSON.stringify(first?.body)).digest('hex');
    expect(first?.headers['x-hephaestus-signature-256']).toBe(`sha256=${mac}`);
  });

  it('is told once, although the worker dies before Temporal knows', async () => {
    const { url, posted } = await receiver(['takes']);
    const { send } = sender({ kind: 'webhook', url, secret: null });
    expect([await send(), await send(), await send()]).toEqual(['sent', 'sent', 'sent']);
    expect(posted).toHaveLength(1);
  });

  it('that is ill for a while is told in the end', async () => {
    const { url, posted } = await receiver(['ill', 'ill', 'takes']);
    const { send } = sender({ kind: 'webhook', url, secret: null });
    expect([await send(), await send(), await send(), await send()]).toEqual([
      'NotificationUnavailable',
      'NotificationUnavailable',
      'sent',
      'sent',
    ]);
    expect(posted.map(({ body }) => body['repeat'])).toEqual([false, false, false]);
  });

  it('that is away is told later', async () => {
    const url = `http://127.0.0.1:${await freePort()}/canary`;
    expect(await sender({ kind: 'webhook', url, secret: null }).send()).toBe('NotificationUnavailable');
  });
});

describe('e-mail', () => {
  const addresses = { to: ['pi@lab.example'], from: 'hephaestus@lab.example' } as const;

  it('arrives, and a repeat has the same Message-ID', async () => {
    const { url, mails, faults } = await mailServer();
    faults.push(451);
    const { send } = sender({ kind: 'email', ...addresses, smtpUrl: url });
    expect([await send(), await send(), await send()]).toEqual(['NotificationUnavailable', 'sent', 'sent']);
    expect(mails).toHaveLength(1);
    expect(mails[0]).toMatch(/^Message-ID: <[0-9a-f]{32}@hephaestus>/im);
    expect(mails[0]).toContain('To: pi@lab.example');
    expect(mails[0]).toContain('Better: 0.235 against 0.255.');
  });

  it('is refused with a wrong password, which no message holds', async () => {
    const { wrongUrl, mails } = await mailServer();
    expect(await sender({ kind: 'email', ...addresses, smtpUrl: wrongUrl }).send()).toBe(
      'NotificationRefused',
    );
    expect(mails).toEqual([]);
  });
});
