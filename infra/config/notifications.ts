import type { NotificationChannel, NotificationSettings, NotificationTimes } from '../settings.ts';
import type { Key } from './keys.ts';
import type { Reader } from './reader.ts';

/** Null where no channel is configured. */
export function readNotifications(reader: Reader): NotificationSettings | null {
  const channels = [
    ...emailChannel(reader),
    ...hook(reader, 'feishu', 'HEPHAESTUS_NOTIFY_FEISHU_URL', 'HEPHAESTUS_NOTIFY_FEISHU_SECRET'),
    ...hook(reader, 'dingtalk', 'HEPHAESTUS_NOTIFY_DINGTALK_URL', 'HEPHAESTUS_NOTIFY_DINGTALK_SECRET'),
    ...hook(reader, 'slack', 'HEPHAESTUS_NOTIFY_SLACK_URL', null),
    ...hook(reader, 'webhook', 'HEPHAESTUS_NOTIFY_WEBHOOK_URL', 'HEPHAESTUS_NOTIFY_WEBHOOK_SECRET'),
  ];
  const lookSeconds = reader.number('HEPHAESTUS_NOTIFY_SECONDS', { min: 1, max: 3600 });
  const times = readTimes(reader);
  const pageUrl = reader.url('HEPHAESTUS_PAGE_URL') ?? null;
  return channels.length === 0 ? null : { channels, lookSeconds, times, pageUrl };
}

function emailChannel(reader: Reader): NotificationChannel[] {
  const to = reader.list('HEPHAESTUS_NOTIFY_EMAIL_TO');
  if (to.length === 0) return [];
  const smtpUrl = reader.required(
    'HEPHAESTUS_SMTP_URL',
    'e-mail goes by this server: smtp://user:password@host:587',
  );
  const from = reader.required('HEPHAESTUS_NOTIFY_EMAIL_FROM', 'name the sender that the server takes');
  if (smtpUrl !== '' && !hasProtocol(smtpUrl, ['smtp:', 'smtps:'])) {
    complain(reader, 'HEPHAESTUS_SMTP_URL', smtpUrl, 'an address that begins with smtp:// or smtps://');
  }
  for (const address of [...to, ...(from === '' ? [] : [from])]) {
    if (/^[^\s@<>]+@[^\s@<>]+$/.test(address)) continue;
    const key = address === from ? 'HEPHAESTUS_NOTIFY_EMAIL_FROM' : 'HEPHAESTUS_NOTIFY_EMAIL_TO';
    reader.complain({ key, found: JSON.stringify(address), expected: 'name@host', todo: '' });
  }
  return [{ kind: 'email', to, from, smtpUrl }];
}

function hook(
  reader: Reader,
  kind: Exclude<NotificationChannel['kind'], 'email'>,
  urlKey: Key,
  secretKey: Key | null,
): NotificationChannel[] {
  const url = reader.text(urlKey);
  if (url === undefined) return [];
  if (!hasProtocol(url, ['https:', 'http:'])) {
    complain(reader, urlKey, url, 'an address that begins with https:// or http://');
  }
  return [{ kind, url, secret: secretKey === null ? null : (reader.text(secretKey) ?? null) }];
}

function readTimes(reader: Reader): NotificationTimes {
  const timeZone = reader.text('HEPHAESTUS_NOTIFY_TIME_ZONE') ?? '';
  if (!isTimeZone(timeZone)) {
    const problem = { key: 'HEPHAESTUS_NOTIFY_TIME_ZONE', found: JSON.stringify(timeZone) };
    reader.complain({ ...problem, expected: 'a name such as Asia/Shanghai', todo: '' });
  }
  const quiet = reader.text('HEPHAESTUS_NOTIFY_QUIET');
  const digest = reader.text('HEPHAESTUS_NOTIFY_DIGEST');
  return {
    timeZone,
    quiet: quiet === undefined ? null : readQuiet(reader, quiet),
    digest: digest === undefined ? null : readMinutes(reader, 'HEPHAESTUS_NOTIFY_DIGEST', digest, digest),
  };
}

function readQuiet(reader: Reader, text: string): NotificationTimes['quiet'] {
  const [from = '', until = '', ...more] = text.split('-');
  const key = 'HEPHAESTUS_NOTIFY_QUIET';
  const span = { from: readMinutes(reader, key, from, text), until: readMinutes(reader, key, until, text) };
  if (span.from === span.until || more.length > 0) {
    reader.complain({
      key,
      found: JSON.stringify(text),
      expected: 'two times, such as 22:00-08:00',
      todo: '',
    });
  }
  return span;
}

/** Minutes since midnight of `23:59`. */
function readMinutes(reader: Reader, key: Key, text: string, whole: string): number {
  const [, hours = '', minutes = ''] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text.trim()) ?? [];
  if (hours === '') {
    const expected = `a time of the day such as ${key === 'HEPHAESTUS_NOTIFY_QUIET' ? '22:00-08:00' : '18:00'}`;
    reader.complain({ key, found: JSON.stringify(whole), expected, todo: '' });
  }
  return Number(hours) * 60 + Number(minutes);
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function hasProtocol(url: string, protocols: readonly string[]): boolean {
  return URL.canParse(url) && protocols.includes(new URL(url).protocol);
}

function complain(reader: Reader, key: Key, value: string, expected: string): void {
  reader.complain({ key, found: `a secret of ${value.length} characters`, expected, todo: '' });
}
