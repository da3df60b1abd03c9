import { Context } from '@temporalio/activity';

import type { AgentEvent } from './agent.ts';

export interface AgentWatch {
  readonly signal: AbortSignal;
  readonly onEvent: (event: AgentEvent) => void;
}

const beatMs = 5_000;

/**
 * Runs the work of an activity with heartbeats, on each event and every 5 s between them: a model may think for
 * minutes without a word. `signal` aborts with the activity's cancellation.
 */
export async function whileBeating<T>(work: (watch: AgentWatch) => Promise<T>): Promise<T> {
  const context = Context.current();
  let last = 'started';
  let events = 0;
  const beat = (): void => context.heartbeat({ events, last });
  const timer = setInterval(beat, beatMs);
  beat();
  try {
    return await work({
      signal: context.cancellationSignal,
      onEvent: (event) => {
        events += 1;
        last = event.kind === 'tool' ? `tool ${event.name}` : event.kind;
        beat();
      },
    });
  } finally {
    clearInterval(timer);
  }
}
