/** How a worker takes up the tasks of workflows; benches and tests that run a worker of their own take the same. */
export const workflowTaskOptions = {
  // A kept workflow can be led astray: a query that was on its way to a worker that died shows the next one events out of
  // turn, and what that one writes then is refused by every replay. Histories here are short, so all are replayed.
  maxCachedWorkflows: 0,
  // One thread replays them all by turns. With many begun at once each one takes longer than a step may last, and the server
  // gives it to be done again; waiting tasks do not age.
  maxConcurrentWorkflowTaskExecutions: 4,
} as const;
