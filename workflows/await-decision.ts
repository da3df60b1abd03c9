import { condition } from '@temporalio/workflow';

import type { Decision } from '../domain/decision.ts';
import type { Experiment } from './experiment-state.ts';
import { failWith } from './failures.ts';

/**
 * Waits for a decision to carry out. A stop is none: it arrives as the cancellation of everything, and whoever woke up before
 * that would take it for a rejection.
 */
export async function awaitDecision(experiment: Experiment): Promise<Decision> {
  const taken = (): Decision | null => (experiment.decision?.kind === 'stop' ? null : experiment.decision);
  await condition(() => taken() !== null);
  const decision = taken();
  if (decision === null) throw failWith('DecisionRefused', 'the decision was taken back');
  return decision;
}
