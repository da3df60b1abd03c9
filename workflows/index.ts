export { ExperimentWorkflow } from './experiment-workflow.ts';
export { JobWorkflow } from './job-workflow.ts';
export { SyncRunWorkflow } from './sync-run-workflow.ts';
