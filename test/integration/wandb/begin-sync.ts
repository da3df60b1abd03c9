import { syncRun, type SyncRunOptions } from '../../../infra/wandb/sync-run.ts';

/** A process that does nothing but one `wandb sync`, so that a test can kill it. */
const options = JSON.parse(process.argv[2] ?? '{}') as Omit<SyncRunOptions, 'signal'>;
await syncRun({ ...options, signal: new AbortController().signal });
