import type { ChannelKind, Delivery, PlannedEvent } from '../../domain/notification.ts';

export interface AwaitEventsInput {
  /** Keys of the events that are known: they are not found again. */
  readonly known: readonly string[];
  /** Keys of those that are still to be told. */
  readonly pending: readonly string[];
  /** What ended before is nobody's news: ISO 8601. */
  readonly since: string;
  /** Comes back then with what there is, ms since the epoch. */
  readonly until: number;
}

export interface FoundEvents {
  /** When it was looked, ms since the epoch. */
  readonly at: number;
  readonly events: readonly PlannedEvent[];
  /** Keys of every event that can be seen, the known ones too. */
  readonly seen: readonly string[];
  /** Of the pending ones those that are settled meanwhile: nobody need be told any more. */
  readonly gone: readonly string[];
  /** Where messages go. */
  readonly channels: readonly ChannelKind[];
}

export interface NotificationsActivities {
  /** Fails with `NothingToTell` while there is nothing new and `until` is not over. */
  awaitEvents(input: AwaitEventsInput): Promise<FoundEvents>;
  /** Sends one message, once as far as that can be known. Fails with `NotificationUnavailable` or `NotificationRefused`. */
  deliver(delivery: Delivery): Promise<void>;
}
