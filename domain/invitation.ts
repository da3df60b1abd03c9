import type { ExperimentPolicy } from './experiment.ts';

/** Argument of `PullRequestWorkflow`: a pull request that may start an experiment. */
export interface InvitationInput {
  readonly repository: string;
  readonly number: number;
  /** Who asks for it; null for a webhook, which believes nobody: then it is the author of the pull request. */
  readonly by: string | null;
  readonly policy: ExperimentPolicy;
}

/** What came of a pull request that may start an experiment. */
export type InvitationAnswer =
  | { readonly status: 'started' | 'attached'; readonly id: string }
  | { readonly status: 'refused'; readonly why: string };
