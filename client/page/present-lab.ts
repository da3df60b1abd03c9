import type { LabSight } from '../../infra/temporal/lab-reader.ts';
import { executionOf } from '../execution.ts';
import { presentExperimentCard, type ExperimentCard } from './present-experiment-card.ts';

/** The list in its three parts: what waits for a person first. */
export interface LabView {
  readonly readAt: string;
  readonly groups: readonly { readonly title: string; readonly cards: readonly ExperimentCard[] }[];
  /** What a person must know before they believe the rest; '' when all is well. */
  readonly warning: string;
}

/** Pure; `now` in ms since the epoch. */
export function presentLab({ readAt, experiments, unanswered }: LabSight, now: number): LabView {
  const newest = experiments.toSorted((a, b) => orderOf(b).localeCompare(orderOf(a)));
  const cards = newest.map((seen) => ({
    running: executionOf(seen.execution) === 'running',
    card: presentExperimentCard(seen, now),
  }));
  const pick = (wanted: (each: (typeof cards)[number]) => boolean): ExperimentCard[] =>
    cards.filter(wanted).map(({ card }) => card);
  return {
    // Without seconds: a page that shows nothing new stays the same for a minute.
    readAt: `${readAt.slice(0, 16).replace('T', ' ')} UTC`,
    groups: [
      { title: 'Waits for you', cards: pick(({ card }) => card.tone === 'asks') },
      { title: 'Under way', cards: pick(({ card }) => card.tone === 'runs') },
      { title: 'Ended', cards: pick(({ running }) => !running) },
    ].filter((group) => group.cards.length > 0),
    warning:
      unanswered === 0
        ? ''
        : `No worker answers for ${unanswered} of ${experiments.length} experiments: of these only what Temporal itself knows is shown. ` +
          'Start a worker for the control zone.',
  };
}

function orderOf({ endedAt, startedAt }: LabSight['experiments'][number]): string {
  return endedAt ?? startedAt;
}
