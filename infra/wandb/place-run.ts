import { Failure } from '../failure.ts';
import type { WandbSettings } from '../settings.ts';
import type { RunPath, WandbClient } from './wandb-client.ts';

/** What is known of where a run goes, '' or undefined where nothing is. */
export interface WantedPlace {
  readonly runId: string;
  readonly logged: { readonly entity: string; readonly project: string };
  /** For a run whose log names none, for example from a task note. */
  readonly fallback: { readonly entity?: string | undefined; readonly project?: string | undefined };
}

/** The name that W&B gives to the project of runs that name none. */
const nameless = 'uncategorized';

/**
 * Where runs go: what the log says, else the fallback, else the settings, else the key's own default, which is asked for
 * once. Throws `WandbUnauthorized` when there is no entity at all.
 */
export function createPlacer(
  client: WandbClient,
  settings: WandbSettings,
): (wanted: WantedPlace, signal: AbortSignal) => Promise<RunPath> {
  let ofKey: string | null = null;
  return async ({ runId, logged, fallback }, signal) => {
    const project = logged.project || fallback.project || settings.project || nameless;
    const named = logged.entity || fallback.entity || settings.entity;
    if (named) return { entity: named, project, runId };
    ofKey ??= await client.defaultEntity(signal);
    if (ofKey) return { entity: ofKey, project, runId };
    throw new Failure(
      'WandbUnauthorized',
      `W&B at ${settings.baseUrl} gives this API key no default entity. Expected one: set wandb.entity in the task note or WANDB_ENTITY.`,
    );
  };
}
