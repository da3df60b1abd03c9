import { personWaits, waitsFor, type Awaited } from '../../domain/waits-for.ts';
import type { ExperimentStatus } from '../../domain/experiment.ts';
import type { LabExperiment } from '../../infra/temporal/lab-reader.ts';
import { duration, round } from '../cli/format.ts';
import { executionOf } from '../execution.ts';

/** How an experiment's state is coloured: it waits for a person, goes on, ended well, ended badly, or just ended. */
export type Tone = 'asks' | 'runs' | 'good' | 'bad' | 'over';

/** What the list shows of one experiment. */
export interface ExperimentCard {
  readonly id: string;
  readonly title: string;
  readonly phase: string;
  readonly tone: Tone;
  /** Whose turn it is; '' when nobody's. */
  readonly whose: string;
  /** What is waited for, as a sentence. */
  readonly waiting: string;
  /** ISO 8601: since when it is as it is. */
  readonly since: string;
  readonly sinceWords: string;
  readonly verdict: string;
  readonly cost: string;
  readonly repository: string;
  readonly pullRequest: { readonly label: string; readonly url: string } | null;
  readonly hasCurves: boolean;
  readonly unanswered: boolean;
}

/** For people, in the order of the way. */
export const whoseWords: Readonly<Record<Awaited, string>> = {
  person: 'you',
  agent: 'the coding models',
  environment: 'the environment builder',
  github: 'GitHub',
  cluster: 'the cluster',
  wandb: 'W&B',
  note: 'the permanent note',
  nobody: '',
};

/** Pure; `now` in ms since the epoch. */
export function presentExperimentCard(seen: LabExperiment, now: number): ExperimentCard {
  const { status, execution } = seen;
  const running = executionOf(execution) === 'running';
  const phase = running ? (status?.phase ?? seen.phase ?? 'not begun') : endOf(seen);
  const awaited = status === null || !running ? 'nobody' : waitsFor(status);
  const asks = status === null || !running ? [] : personWaits(status);
  const since = (running ? status?.since : seen.endedAt) ?? seen.startedAt;
  return {
    id: seen.id,
    title: status?.title ?? seen.id,
    phase,
    tone: toneOf(phase, running, asks.length > 0),
    whose: whoseWords[awaited],
    waiting: asks.length > 0 ? asks.map(({ sentence }) => sentence).join(' ') : waitingOf(status, running),
    since,
    sinceWords: ago(now - new Date(since).getTime()),
    verdict: status?.evidence?.verdict.sentence ?? '',
    cost: costOf(status, seen.gpuHours),
    repository: status?.repository ?? seen.repository ?? '',
    pullRequest: pullRequestOf(seen),
    hasCurves: status !== null && (status.evidence !== null || status.live !== null),
    unanswered: status === null,
  };
}

/** `0.5 of 8 GPU hours, 12,000 tokens`: what was used, of what the task note allows. */
export function costOf(status: ExperimentStatus | null, listed: number | null): string {
  const used = status?.cost.gpuHours ?? listed;
  if (used === null) return '';
  const allowed = status?.budget?.gpuHours;
  const hours = `${round(used)}${allowed === undefined ? '' : ` of ${round(allowed)}`} GPU hours`;
  const tokens = status?.cost.tokens ?? 0;
  return tokens === 0 ? hours : `${hours}, ${tokens.toLocaleString('en')} tokens`;
}

/** Coarse, so that a page that shows nothing new stays the same for a while. */
export function ago(ms: number): string {
  return ms < 90_000 ? 'a minute' : duration(ms);
}

export function toneOf(phase: string, running: boolean, asks: boolean): Tone {
  if (running) return asks ? 'asks' : 'runs';
  if (phase === 'merged') return 'good';
  return phase === 'rejected' || phase === 'stopped' ? 'over' : 'bad';
}

function endOf({ status, outcome, execution }: LabExperiment): string {
  const words = executionOf(execution);
  // What was terminated by hand still tells the phase in which it was.
  if (words === 'terminated' || words === 'timed out') return words;
  return outcome ?? status?.phase ?? words;
}

function waitingOf(status: ExperimentStatus | null, running: boolean): string {
  if (status === null) return running ? 'No worker answers for it.' : '';
  if (!running) return status.failure === null ? '' : `${status.failure.type}: ${status.failure.message}`;
  return status.waitingFor === '' ? '' : `Waiting for ${status.waitingFor}.`;
}

function pullRequestOf({ status, pullRequest }: LabExperiment): ExperimentCard['pullRequest'] {
  const own = status?.pullRequest;
  if (own !== undefined && own !== null) return { label: `#${own.number}`, url: own.url };
  return pullRequest === null ? null : { label: pullRequest, url: '' };
}
