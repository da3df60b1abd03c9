import type { Link } from './experiment.ts';
import type { PersonWaitKind } from './waits-for.ts';

/** Something that a person is told of, once. */
export interface NotificationEvent {
  /** The same for the same event, for ever; no other event has it. */
  readonly key: string;
  readonly kind: PersonWaitKind | 'ended';
  readonly experimentId: string;
  readonly title: string;
  /** `merged`, `failed`, …, or the phase in which it waits. */
  readonly phase: string;
  /** What is asked, or why it ended; one sentence or more. */
  readonly sentence: string;
  /** What the numbers say; '' before there are any. */
  readonly verdict: string;
  readonly cost: { readonly gpuHours: number; readonly tokens: number };
  readonly links: readonly Link[];
}

/** An event and when it is to be told, ms since the epoch: not in quiet hours, and endings with the day's others. */
export interface PlannedEvent extends NotificationEvent {
  readonly dueAt: number;
}

export type ChannelKind = 'email' | 'feishu' | 'dingtalk' | 'slack' | 'webhook';

/** One message to one channel. */
export interface Delivery {
  /** Tells a repeat from another message. */
  readonly id: string;
  readonly channel: ChannelKind;
  readonly events: readonly NotificationEvent[];
}
