import { createHmac } from 'node:crypto';

import type { NotificationEvent } from '../../domain/notification.ts';
import type { Message, MessagePart } from './compose-message.ts';

/** One POST to a chat's bot, or to somebody's own program. */
export interface HookRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface HookInput {
  readonly id: string;
  readonly url: string;
  readonly secret: string | null;
  readonly message: Message;
  readonly events: readonly NotificationEvent[];
  /** ms since the epoch. */
  readonly now: number;
}

const json = { 'content-type': 'application/json; charset=utf-8' } as const;
const repeatNotice = '(Sent again: the first try was not answered.)';

/** For a program of one's own: the events as they are. The signature is the HMAC-SHA256 of the body. */
export function webhookRequest({ id, url, secret, message, events }: HookInput): HookRequest {
  const { subject, repeat } = message;
  const body = JSON.stringify({ schema: 'hephaestus/notification/v1', id, subject, repeat, events });
  const signature = secret === null ? null : createHmac('sha256', secret).update(body).digest('hex');
  return {
    url,
    headers: {
      ...json,
      'x-hephaestus-delivery': id,
      ...(signature !== null && { 'x-hephaestus-signature-256': `sha256=${signature}` }),
    },
    body,
  };
}

/** Slack's incoming webhook, in its own mark-up. */
export function slackRequest({ url, message }: HookInput): HookRequest {
  const text = [...notice(message), ...message.parts.map(slackPart)].join('\n\n');
  return { url, headers: json, body: JSON.stringify({ text, unfurl_links: false }) };
}

function slackPart({ heading, lines, links }: MessagePart): string {
  return [
    `*${escapeSlack(heading).replaceAll('*', '·')}*`,
    ...lines.map(escapeSlack),
    ...links.map((link) => `<${link.url}|${escapeSlack(link.label).replaceAll('|', '/')}>`),
  ].join('\n');
}

function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** The bot of Feishu or Lark: a card. Its signature is over nothing, by a key of time and secret. */
export function feishuRequest({ url, secret, message, now }: HookInput): HookRequest {
  const timestamp = String(Math.floor(now / 1000));
  const sign =
    secret === null ? null : createHmac('sha256', `${timestamp}\n${secret}`).update('').digest('base64');
  const body = {
    ...(sign !== null && { timestamp, sign }),
    msg_type: 'interactive',
    card: {
      header: { title: { tag: 'plain_text', content: message.subject } },
      elements: [...notice(message), ...message.parts.map(markdownPart)].map((content) => ({
        tag: 'markdown',
        content,
      })),
    },
  };
  return { url, headers: json, body: JSON.stringify(body) };
}

/** The bot of DingTalk: Markdown. Its signature stands in the address. */
export function dingtalkRequest({ url, secret, message, now }: HookInput): HookRequest {
  const address = new URL(url);
  if (secret !== null) {
    const timestamp = String(now);
    const sign = createHmac('sha256', secret).update(`${timestamp}\n${secret}`).digest('base64');
    address.searchParams.set('timestamp', timestamp);
    address.searchParams.set('sign', sign);
  }
  const text = [...notice(message), ...message.parts.map(markdownPart)].join('\n\n');
  const body = { msgtype: 'markdown', markdown: { title: message.subject, text } };
  return { url: address.href, headers: json, body: JSON.stringify(body) };
}

function markdownPart({ heading, lines, links }: MessagePart): string {
  return [
    `**${escapeMarkdown(heading)}**`,
    ...lines.map(escapeMarkdown),
    ...links.map((link) => `[${escapeMarkdown(link.label)}](${link.url})`),
    // A line break in Markdown is two blanks before it.
  ].join('  \n');
}

/** `<` and `@` are how both of them mention people, and neither minds a backslash before a bracket. */
function escapeMarkdown(text: string): string {
  return text
    .replaceAll(/[\\`*_#|~]/g, (character) => `\\${character}`)
    .replaceAll('[', '［')
    .replaceAll(']', '］')
    .replaceAll('<', '&lt;')
    .replaceAll('@', '＠');
}

function notice({ repeat }: Message): string[] {
  return repeat ? [repeatNotice] : [];
}
