import { Failure } from '../../infra/failure.ts';
import type { AllActivities, ScriptedWorld } from './scripted-activities.ts';

/**
 * The conversation of a pull request in which nobody says anything, looked at as seldom as in weeks of waiting: where time
 * jumps, a look each moment would be all that happens.
 */
export function seldomLookedAt(
  world: () => Pick<ScriptedWorld, 'snapshot'>,
  pollSeconds: number,
): Pick<AllActivities, 'awaitWords'> {
  return {
    awaitWords: async ({ cursor, once }) => {
      const { state, headSha } = world().snapshot;
      if (state === cursor.state && !once) {
        throw new Failure('NothingSaid', 'nothing said', { retryAfterMs: pollSeconds * 1000 });
      }
      return { words: [], cursor: { ...cursor, state }, headSha };
    },
  };
}
