import { createHash } from 'node:crypto';

import { createTransport } from 'nodemailer';

import { isLoopback } from '../config/sight.ts';
import { Failure } from '../failure.ts';
import type { NotificationChannel } from '../settings.ts';
import type { Message } from './compose-message.ts';

type EmailSettings = Extract<NotificationChannel, { readonly kind: 'email' }>;

const stepLimitMs = 20_000;

/**
 * Sends one mail and returns once the server has taken it for every receiver. A repeat has the same Message-ID, by which
 * mail programs show it once. Throws `Failure`: `NotificationUnavailable`, `NotificationRefused`.
 */
export async function sendEmail(settings: EmailSettings, id: string, message: Message): Promise<void> {
  const { host, hostname, password } = new URL(settings.smtpUrl);
  const transport = createTransport({
    url: settings.smtpUrl,
    connectionTimeout: stepLimitMs,
    greetingTimeout: stepLimitMs,
    socketTimeout: stepLimitMs,
    // A password goes to another machine only where nobody on the way can read it.
    requireTLS: password !== '' && !isLoopback(hostname),
  });
  try {
    const { rejected } = await transport.sendMail({
      from: settings.from,
      to: [...settings.to],
      subject: message.subject,
      text: textOf(message),
      messageId: `<${createHash('sha256').update(id).digest('hex').slice(0, 32)}@hephaestus>`,
      headers: { 'auto-submitted': 'auto-generated' },
    });
    if (rejected.length === 0) return;
    throw new Failure(
      'NotificationRefused',
      `e-mail at ${host} refused ${rejected.length} of ${settings.to.length} receivers: check HEPHAESTUS_NOTIFY_EMAIL_TO`,
    );
  } catch (error) {
    throw error instanceof Failure ? error : toFailure(error, host);
  } finally {
    transport.close();
  }
}

function toFailure(error: unknown, host: string): Failure {
  const code = error instanceof Error && 'responseCode' in error ? Number(error.responseCode) : null;
  const kind = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  // 4xx means "not now"; without an answer of the server at all nothing is known.
  if (code !== null && code >= 500) {
    return new Failure(
      'NotificationRefused',
      `e-mail at ${host} answered ${code} (${kind}), expected 2xx: check HEPHAESTUS_SMTP_URL and HEPHAESTUS_NOTIFY_EMAIL_FROM`,
    );
  }
  const words = code === null ? `gave no answer (${kind})` : `answered ${code}`;
  const options = code === null ? { cause: error } : {};
  return new Failure('NotificationUnavailable', `e-mail at ${host} ${words}: it is tried again`, options);
}

function textOf({ repeat, parts }: Message): string {
  const blocks = parts.map(({ heading, lines, links }) =>
    [heading, ...lines, ...links.map(({ label, url }) => `${label}: ${url}`)].join('\n'),
  );
  const notice = repeat ? ['(Sent again: the first try was not answered.)'] : [];
  return [...notice, ...blocks, 'Hephaestus'].join('\n\n');
}
