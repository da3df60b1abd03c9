/** What the PI can say of an experiment. */
export const decisionKinds = ['merge', 'reject', 'revise', 'rerun', 'stop'] as const;
export type DecisionKind = (typeof decisionKinds)[number];

/** A decision as it arrives. `head` binds it to what the PI was shown; from the Web UI it may be missing. */
export interface DecisionRequest {
  readonly kind: DecisionKind;
  readonly by: string;
  readonly head?: string | undefined;
  /** The attempt whose evidence the PI was shown; a newer one makes the decision void. */
  readonly attempt?: number | undefined;
  readonly reason?: string | undefined;
  /** `revise` only. */
  readonly instructions?: string | undefined;
  /** `rerun` only. */
  readonly seeds?: readonly number[] | undefined;
}

/** A decision that was accepted, bound to the evidence it was made on. `at`: ISO 8601, UTC. */
export interface Decision extends DecisionRequest {
  readonly head: string | undefined;
  readonly at: string;
}

/** A decision that came in the wrong phase or on a stale head: shown, never stored for later. */
export interface RefusedDecision {
  readonly kind: DecisionKind | 'settle' | 'approve-quality';
  readonly by: string;
  readonly at: string;
  readonly why: string;
}
