export { ExperimentWorkflow } from './experiment-workflow.ts';
export { JanitorWorkflow } from './janitor-workflow.ts';
export { JobWorkflow } from './job-workflow.ts';
export { PullRequestWorkflow } from './pull-request-workflow.ts';
export { SyncRunWorkflow } from './sync-run-workflow.ts';
export { StrayRunWorkflow, SweepWorkflow } from './sweep-workflow.ts';
