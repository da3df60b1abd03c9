import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  continueAsNew,
  ParentClosePolicy,
  setCurrentDetails,
  startChild,
  workflowInfo,
  WorkflowIdReusePolicy,
} from '@temporalio/workflow';

import type { ChannelKind, Delivery, NotificationEvent, PlannedEvent } from '../domain/notification.ts';
import { stepTimeout } from './contract.ts';
import { deliveries, looks } from './notifier-activities.ts';

/** What the notifier carries from one life to the next. */
export interface NotifierState {
  /** What ended before is nobody's news: ISO 8601. */
  readonly since: string;
  /** Events that were taken up, by key, with when they were last seen: ms since the epoch. */
  readonly known?: Readonly<Record<string, number>>;
  readonly pending?: readonly PlannedEvent[];
}

const dayMs = 24 * 3_600_000;
/** An experiment that Temporal's index loses sight of for a while must not be news again. */
const forgetAfterMs = 7 * dayMs;
const roundsPerLife = 200;

/**
 * Tells people what waits for them and what has ended: each event once, not in quiet hours, several in one message. It
 * reads what the experiments show and never touches them, so that nothing that goes wrong here can harm one.
 */
export async function NotifierWorkflow(state: NotifierState): Promise<void> {
  const known = new Map(Object.entries(state.known ?? {}));
  let pending = state.pending ?? [];
  for (let round = 0; round < roundsPerLife && !workflowInfo().continueAsNewSuggested; round += 1) {
    const { at, events, seen, gone, channels } = await looks.awaitEvents.executeWithOptions(
      { summary: `${pending.length} to be told later` },
      [
        {
          known: [...known.keys()],
          pending: pending.map(({ key }) => key),
          since: state.since,
          // At least once a day, so that what is seen all the time is not taken for forgotten.
          until: Math.min(Date.now() + dayMs, ...pending.map(({ dueAt }) => dueAt)),
        },
      ],
    );
    for (const key of seen) known.set(key, at);
    for (const [key, lastSeen] of known) if (at - lastSeen > forgetAfterMs) known.delete(key);
    pending = [...pending.filter(({ key }) => !gone.includes(key)), ...events];
    const due = pending.filter(({ dueAt }) => dueAt <= at);
    pending = pending.filter(({ dueAt }) => dueAt > at);
    if (due.length > 0) for (const channel of channels) await send(channel, due, at);
    setCurrentDetails(describe(pending));
  }
  await continueAsNew<typeof NotifierWorkflow>({
    since: state.since,
    known: Object.fromEntries(known),
    pending,
  });
}

/** Each message is a workflow of its own: one channel that is away holds up no other, and nothing that comes later. */
async function send(channel: ChannelKind, events: readonly NotificationEvent[], at: number): Promise<void> {
  const id = `notification/${channel}/${at}`;
  try {
    await startChild<typeof DeliverWorkflow>('DeliverWorkflow', {
      workflowId: id,
      args: [{ id, channel, events }],
      workflowTaskTimeout: stepTimeout,
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      staticSummary: `${events.length} to ${channel}`,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

/** One message to one channel. */
export async function DeliverWorkflow(delivery: Delivery): Promise<void> {
  await deliveries.deliver.executeWithOptions({ summary: delivery.channel }, [delivery]);
}

function describe(pending: readonly PlannedEvent[]): string {
  if (pending.length === 0) return 'Nothing is to be told.';
  const lines = pending.map(
    ({ key, dueAt }) =>
      `- \`${key.replaceAll('`', "'")}\` at ${new Date(dueAt).toISOString().slice(0, 16)} UTC`,
  );
  return ['To be told later:', ...lines].join('\n');
}
