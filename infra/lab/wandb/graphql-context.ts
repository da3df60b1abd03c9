import type { RunStore } from './run-store.ts';

/** What all resolvers share. */
export interface GraphqlContext {
  readonly store: RunStore;
  /** The one entity of this server, also the default one of its key. */
  readonly entity: string;
  readonly baseUrl: () => string;
  readonly lateCountMs: () => number;
}

/** The name that W&B gives to the project of runs that name none. */
export const defaultProject = 'uncategorized';
