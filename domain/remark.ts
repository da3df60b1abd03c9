/** A question about the evidence and its answer, kept for the permanent note with who said what. */
export interface Remark {
  /** The person who asked. */
  readonly by: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly question: string;
  readonly answer: string;
  /** Who answered: the agent and its model. */
  readonly answeredBy: string;
}

/** Remarks that an experiment keeps: the newest ones, so that a long talk cannot fill its history. */
export const mostRemarks = 20;
export const longestRemark = 4000;
