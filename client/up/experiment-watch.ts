import { personWaits } from '../../domain/waits-for.ts';
import { ClientError } from '../client-error.ts';
import type { Experiments } from '../experiments.ts';
import type { ListedExperiment, SeenExperiment } from '../seen-experiment.ts';
import type { BoardExperiment } from './board.ts';

export interface ExperimentWatch {
  /** Open experiments, the newest first, then those that ended last. Throws `ClientError`. */
  look(): Promise<readonly BoardExperiment[]>;
}

const openLimit = 200;
const endedShown = 3;
/** Asking one experiment costs its worker a replay of its history, so what did not change is asked again only so often. */
const askAgainMs = 30_000;
const asksPerLook = 5;

interface Asked {
  readonly seen: SeenExperiment;
  readonly listed: ListedExperiment;
  readonly at: number;
}

/** Watches all experiments by Temporal's index, which costs the same for one and for hundreds. */
export function watchExperiments(
  experiments: () => Experiments,
  now: () => number = Date.now,
): ExperimentWatch {
  const asked = new Map<string, Asked>();
  return {
    async look() {
      // One after the other: a call that is still being tried again when the connection is closed would end this process.
      const open = await experiments().list({ open: true, limit: openLimit });
      const latest = await experiments().list({ limit: openLimit });
      for (const id of asked.keys()) if (!open.some((each) => each.id === id)) asked.delete(id);
      await askOldest(experiments(), open, asked, now());
      const ended = latest.filter(({ execution }) => execution !== 'running');
      return [...open.map((listed) => rowOf(listed, asked.get(listed.id))), ...endedRows(ended)];
    },
  };
}

/** Those whose phase has changed first, then those that were asked longest ago; a few in one look. */
async function askOldest(
  experiments: Experiments,
  open: readonly ListedExperiment[],
  asked: Map<string, Asked>,
  now: number,
): Promise<void> {
  const askedAt = ({ id, phase }: ListedExperiment): number => {
    const before = asked.get(id);
    return before === undefined || before.listed.phase !== phase ? 0 : before.at;
  };
  const due = open
    .filter((listed) => now - askedAt(listed) > askAgainMs)
    .toSorted((a, b) => askedAt(a) - askedAt(b))
    .slice(0, asksPerLook);
  for (const listed of due) {
    try {
      asked.set(listed.id, { seen: await experiments.see(listed.id), listed, at: now });
    } catch (error) {
      // It has ended and was forgotten since it was listed.
      if (!(error instanceof ClientError) || error.kind !== 'not-found') throw error;
    }
  }
}

function rowOf(listed: ListedExperiment, asked: Asked | undefined): BoardExperiment {
  const status = asked?.listed.phase === listed.phase ? asked.seen.status : null;
  return {
    id: listed.id,
    running: true,
    phase: listed.phase,
    since: status?.since ?? listed.startedAt,
    waitingFor: status?.waitingFor ?? asked?.seen.unanswered ?? '',
    asked: askedOfPerson(asked?.seen, listed.phase),
    pullRequestUrl: asked?.seen.status?.pullRequest?.url ?? null,
    url: asked?.seen.url ?? null,
  };
}

/** What only a person can do now, as a sentence; null when nothing is asked of one. */
export function askedOfPerson(seen: SeenExperiment | undefined, phase: string): string | null {
  const status = seen?.status ?? null;
  if (phase === 'deciding') {
    const sentence = status?.evidence?.verdict.sentence ?? '';
    return sentence === '' ? 'your decision: merge, reject, revise or rerun' : `your decision. ${sentence}`;
  }
  if (status === null) return null;
  const asks = personWaits(status).map(({ sentence }) => sentence);
  return asks.length === 0 ? null : asks.join(' ');
}

function endedRows(ended: readonly ListedExperiment[]): BoardExperiment[] {
  return ended.slice(0, endedShown).map(({ id, phase, endedAt, startedAt }) => ({
    id,
    running: false,
    phase,
    since: endedAt ?? startedAt,
    waitingFor: '',
    asked: null,
    pullRequestUrl: null,
    url: null,
  }));
}
