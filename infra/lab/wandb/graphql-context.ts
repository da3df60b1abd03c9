import type { ArtifactStore } from './artifact-store.ts';
import type { RunStore } from './run-store.ts';
import type { Settings } from './settings.ts';

/** What all resolvers share. */
export interface GraphqlContext {
  readonly store: RunStore;
  readonly artifacts: ArtifactStore;
  /** The one entity of this server, also the default one of its key. */
  readonly entity: string;
  readonly baseUrl: () => string;
  readonly settings: () => Settings;
}

/** The name that W&B gives to the project of runs that name none. */
export const defaultProject = 'uncategorized';
