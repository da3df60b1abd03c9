import type { DecisionAnswer } from './decide-decision.ts';
import type { Outcome, Phase } from './phase.ts';

/** A person's word on the quality gate. `head` binds it to a commit; from the Web UI it may be missing. */
export interface QualityRequest {
  readonly by: string;
  readonly verdict: 'pass' | 'block';
  readonly reason: string;
  readonly head?: string | undefined;
}

/** The same once it counts. `at`: ISO 8601, UTC. */
export interface QualityOverride extends QualityRequest {
  readonly head: string;
  readonly at: string;
}

export interface QualityContext {
  readonly phase: Phase | Outcome;
  /** The commit that the gate is about, null before there is one. */
  readonly headSha: string | null;
}

/** Whether a person's word on the gate counts now, or why it does not; nothing is kept for a later gate. */
export function decideQuality(request: QualityRequest, { phase, headSha }: QualityContext): DecisionAnswer {
  if (phase !== 'reviewing' || headSha === null) {
    return refuse(`the quality gate asks nothing now: the experiment is ${phase}`);
  }
  if (request.reason.trim() === '') return refuse('a word on the quality gate needs a reason');
  if (request.head !== undefined && !headSha.startsWith(request.head.toLowerCase())) {
    return refuse(`your word names head ${request.head}, the gate is about ${headSha.slice(0, 12)}`);
  }
  return { status: 'accept' };
}

function refuse(why: string): DecisionAnswer {
  return { status: 'refuse', why };
}
