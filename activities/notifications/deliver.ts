import type { ChannelKind, Delivery } from '../../domain/notification.ts';
import { Failure } from '../../infra/failure.ts';
import {
  dingtalkRequest,
  feishuRequest,
  slackRequest,
  webhookRequest,
  type HookInput,
  type HookRequest,
} from '../../infra/notifications/chat-requests.ts';
import { composeMessage } from '../../infra/notifications/compose-message.ts';
import { postHook } from '../../infra/notifications/post-hook.ts';
import { sendEmail } from '../../infra/notifications/send-email.ts';
import type { SentRecord } from '../../infra/notifications/sent-record.ts';
import type { NotificationChannel } from '../../infra/settings.ts';

const requests = {
  feishu: feishuRequest,
  dingtalk: dingtalkRequest,
  slack: slackRequest,
  webhook: webhookRequest,
} as const satisfies Record<Exclude<ChannelKind, 'email'>, (input: HookInput) => HookRequest>;

interface Means {
  readonly channels: readonly NotificationChannel[];
  readonly record: SentRecord;
}

/**
 * Sends one message. What is known to have arrived is not sent again; what may have arrived is sent again with the same
 * id and says so, because a person who is told twice loses less than one who is never told.
 */
export async function deliver(delivery: Delivery, { channels, record }: Means): Promise<void> {
  const channel = channels.find(({ kind }) => kind === delivery.channel);
  if (channel === undefined) {
    throw new Failure(
      'NotificationRefused',
      `the channel ${delivery.channel} is not configured any more: expected its settings; give them again, or let this message go`,
    );
  }
  const state = await record.stateOf(delivery.id);
  if (state === 'sent') return;
  await record.note(delivery.id, 'trying');
  try {
    await send(channel, delivery, state === 'trying');
  } catch (error) {
    // Only a conversation that broke off has a cause; a receiver that said no has not got the message.
    if (error instanceof Failure && error.cause === undefined) await record.forget(delivery.id);
    throw error;
  }
  await record.note(delivery.id, 'sent');
}

async function send(channel: NotificationChannel, { id, events }: Delivery, repeat: boolean): Promise<void> {
  const message = composeMessage(events, repeat);
  if (channel.kind === 'email') return sendEmail(channel, id, message);
  const { kind, url, secret } = channel;
  return postHook(kind, requests[kind]({ id, url, secret, message, events, now: Date.now() }));
}
