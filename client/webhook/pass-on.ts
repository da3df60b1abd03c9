import type { ExperimentPolicy } from '../../domain/experiment.ts';
import type { NudgePayload } from '../../workflows/contract.ts';
import { ClientError } from '../client-error.ts';
import type { Experiments } from '../experiments.ts';
import { findTargets, type Targets } from './find-targets.ts';

export interface PassedOn {
  /** Ids of the experiments that look again. */
  readonly nudged: readonly string[];
  /** Whether the pull request is looked at, because it may ask for an experiment. */
  readonly invited: boolean;
}

export interface PassOnDeps {
  readonly experiments: Pick<Experiments, 'nudge' | 'findByPullRequest' | 'invite'>;
  /** For experiments that begin here. */
  readonly policy: ExperimentPolicy;
}

/**
 * Passes a delivery on to whom it may concern; returning means that Temporal holds it. An experiment that has ended has
 * nothing to look at. Throws `ClientError` (`unreachable`).
 */
export async function passOn(
  { experiments, policy }: PassOnDeps,
  {
    event,
    delivery,
    payload,
  }: { readonly event: string; readonly delivery: string; readonly payload: unknown },
): Promise<PassedOn> {
  const targets = findTargets(event, payload);
  const found = await Promise.all(targets.pullRequests.map((each) => experiments.findByPullRequest(each)));
  const ids = [...new Set([...targets.experimentIds, ...found.flat()])];
  const nudge = nudgeOf(targets, delivery);
  const nudged = await Promise.all(
    ids.map(async (id) => {
      try {
        await experiments.nudge(id, nudge);
        return [id];
      } catch (error) {
        if (error instanceof ClientError && error.kind === 'not-found') return [];
        throw error;
      }
    }),
  );
  const { invitation } = targets;
  const invited = invitation !== null && nudged.flat().length === 0;
  if (invited) await experiments.invite({ ...invitation, by: null, policy });
  return { nudged: nudged.flat(), invited };
}

function nudgeOf({ about }: Targets, delivery: string): NudgePayload {
  return about === 'both' ? { delivery } : { delivery, about };
}
