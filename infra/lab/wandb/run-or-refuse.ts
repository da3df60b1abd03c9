import { HttpStatusError } from './http-status-error.ts';
import type { RunKey } from './run-record.ts';
import type { RunStore, StoredRun } from './run-store.ts';

/** The run, or the 404 of a server that has none of this name. */
export function runOrRefuse(store: RunStore, key: RunKey): StoredRun {
  const run = store.find(key);
  if (run === undefined || run.record.deleted) {
    throw new HttpStatusError(404, `run ${key.entity}/${key.project}/${key.runId} not found`);
  }
  return run;
}
