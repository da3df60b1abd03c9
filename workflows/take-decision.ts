import { decideDecision, type DecisionAnswer } from '../domain/decide-decision.ts';
import { decideQuality, type QualityRequest } from '../domain/decide-quality.ts';
import type { DecisionRequest, RefusedDecision } from '../domain/decision.ts';
import { attemptsLeftOf, gpuHoursLeftOf, show, type Experiment } from './experiment-state.ts';

/** Refused decisions that are shown; a flood of them must not make the status grow without end. */
const shownRefusals = 20;

/** What an experiment answers to a decision now, whichever way it came. */
export function judge(experiment: Experiment, request: DecisionRequest): DecisionAnswer {
  return decideDecision(request, {
    phase: experiment.phase,
    evidenceHead: experiment.evidence?.headSha ?? null,
    evidenceAttempt: experiment.evidence?.attempt ?? null,
    decided: experiment.decision !== null,
    attemptsLeft: attemptsLeftOf(experiment),
    gpuHoursLeft: gpuHoursLeftOf(experiment),
    stalled: experiment.stalled,
  });
}

/** Records a decision that was judged; the story carries it out. `stop` is called for a stop, in whatever phase. */
export function accept(experiment: Experiment, request: DecisionRequest, stop: () => void): void {
  experiment.decision = { ...request, head: request.head ?? experiment.evidence?.headSha, at: nowText() };
  show(experiment);
  if (request.kind === 'stop') stop();
}

/** Keeps what was refused, so that whoever said it sees why nothing happened. */
export function refuse(
  experiment: Experiment,
  { kind, by }: Pick<RefusedDecision, 'kind' | 'by'>,
  why: string,
): void {
  experiment.refused.push({ kind, by, at: nowText(), why });
  if (experiment.refused.length > shownRefusals) experiment.refused.shift();
  show(experiment);
}

/** What the gate answers to a person's word now. */
export function judgeQuality(experiment: Experiment, request: QualityRequest): DecisionAnswer {
  const { phase, implementation } = experiment;
  return decideQuality(request, { phase, headSha: implementation?.headSha ?? null });
}

/** The word counts for the present head and no other: the next change forgets it. */
export function acceptQuality(experiment: Experiment, request: QualityRequest): void {
  const head = experiment.implementation?.headSha ?? '';
  experiment.override = { ...request, head, at: nowText() };
  show(experiment);
}

function nowText(): string {
  return new Date(Date.now()).toISOString();
}
