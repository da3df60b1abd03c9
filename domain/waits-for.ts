import type { ExperimentStatus } from './experiment.ts';
import { outcomes, type Outcome, type Phase } from './phase.ts';

/** Whose turn it is; `nobody` once an experiment has ended. */
export type Awaited = 'person' | 'agent' | 'environment' | 'github' | 'cluster' | 'wandb' | 'note' | 'nobody';

/**
 * - `decision`: there is evidence to decide on
 * - `stalled`: the jobs ended in a way that only a person can answer
 * - `question`: a submission that only a person can settle
 * - `gate`: the quality gate blocks
 * - `push`: the branch cannot be pushed
 */
export type PersonWaitKind = 'decision' | 'stalled' | 'question' | 'gate' | 'push';

/** One thing that goes on only after a person's word. */
export interface PersonWait {
  readonly kind: PersonWaitKind;
  /** Tells this wait from every other of the same experiment, also from an earlier one of its kind. */
  readonly mark: string;
  /** What is asked, as a sentence. */
  readonly sentence: string;
}

const turns = {
  planning: 'agent',
  implementing: 'agent',
  freezing: 'environment',
  proposing: 'github',
  reviewing: 'github',
  submitting: 'cluster',
  queued: 'cluster',
  training: 'cluster',
  syncing: 'wandb',
  reporting: 'wandb',
  deciding: 'person',
  merging: 'github',
  recording: 'note',
} as const satisfies Record<Phase, Awaited>;

type Waiting = Pick<
  ExperimentStatus,
  'phase' | 'waitingFor' | 'since' | 'gate' | 'headSha' | 'attempts' | 'stalled' | 'pushRefused'
>;

/** Everything that an experiment asks of a person at this moment, the same for the same state. */
export function personWaits(status: Waiting): readonly PersonWait[] {
  if (isOutcome(status.phase)) return [];
  return [
    ...decisionWait(status),
    ...gateWait(status),
    ...pushWait(status),
    ...stalledWait(status),
    ...questionWaits(status),
  ];
}

/** Whose turn it is. */
export function waitsFor(status: Waiting): Awaited {
  if (isOutcome(status.phase)) return 'nobody';
  return personWaits(status).length > 0 ? 'person' : turns[status.phase];
}

function decisionWait({ phase, since }: Waiting): PersonWait[] {
  if (phase !== 'deciding') return [];
  return [{ kind: 'decision', mark: since, sentence: 'Merge, reject, revise or rerun?' }];
}

function gateWait({ phase, gate, since, headSha }: Waiting): PersonWait[] {
  if (phase !== 'reviewing' || gate?.status !== 'block') return [];
  const mark = `${headSha?.slice(0, 12) ?? ''} ${since}`;
  return [{ kind: 'gate', mark, sentence: `The quality gate blocks: ${gate.reasons.join('; ')}` }];
}

function pushWait({ phase, headSha, pushRefused }: Waiting): PersonWait[] {
  if (phase !== 'proposing' || pushRefused === null || pushRefused === undefined) return [];
  return [{ kind: 'push', mark: headSha ?? '', sentence: `The branch cannot be pushed: ${pushRefused}` }];
}

function stalledWait({ stalled, attempts, waitingFor }: Waiting): PersonWait[] {
  if (!stalled) return [];
  return [
    { kind: 'stalled', mark: `attempt ${attempts.at(-1)?.number ?? 0}`, sentence: `It needs ${waitingFor}` },
  ];
}

function questionWaits({ attempts }: Waiting): PersonWait[] {
  const last = attempts.at(-1);
  return (last?.jobs ?? []).flatMap(({ seed, question }) =>
    question === null
      ? []
      : [
          {
            kind: 'question' as const,
            mark: `attempt ${last?.number ?? 0} seed ${seed}`,
            sentence: `Seed ${seed}: ${question}`,
          },
        ],
  );
}

function isOutcome(phase: Phase | Outcome): phase is Outcome {
  return (outcomes as readonly string[]).includes(phase);
}
