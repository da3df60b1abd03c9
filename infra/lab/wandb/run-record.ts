import { z } from 'zod';

/** What the server keeps of a run besides its lines; one `run.json` each. Times are ms since the epoch, UTC. */
export const RunRecord = z.object({
  /** The server's own id, as W&B's opaque ids are. */
  id: z.string(),
  entity: z.string(),
  project: z.string(),
  runId: z.string(),
  displayName: z.string(),
  notes: z.string().nullable(),
  group: z.string().nullable(),
  jobType: z.string().nullable(),
  commit: z.string().nullable(),
  host: z.string().nullable(),
  tags: z.array(z.string()),
  /** JSON text, as it came. */
  config: z.string(),
  /** JSON text, as it came; may hold bare NaN. */
  summary: z.string(),
  createdAt: z.number(),
  heartbeatAt: z.number(),
  /** Null while nobody said that it is complete. */
  exitCode: z.number().nullable(),
  /** The client said that the machine is being taken from it. */
  preempting: z.boolean().default(false),
  deleted: z.boolean(),
  /** Names of the files that were announced; those that arrived lie in the run's `files` folder. */
  files: z.array(z.string()),
});
export type RunRecord = z.infer<typeof RunRecord>;

export interface RunKey {
  readonly entity: string;
  readonly project: string;
  readonly runId: string;
}

export type RunState = 'running' | 'finished' | 'failed' | 'crashed' | 'preempting' | 'preempted';

/** `crashedAfterSeconds` after its last heartbeat a run that never said how it ended counts as crashed. */
export function runState(run: RunRecord, now: number, crashedAfterSeconds: number): RunState {
  if (run.exitCode === 0) return 'finished';
  if (run.exitCode !== null) return run.preempting ? 'preempted' : 'failed';
  if (now - run.heartbeatAt <= crashedAfterSeconds * 1000) return run.preempting ? 'preempting' : 'running';
  return run.preempting ? 'preempted' : 'crashed';
}

export function newRunRecord(key: RunKey, now: number): RunRecord {
  return {
    ...key,
    id: Buffer.from(`Run:v1:${key.runId}:${key.project}:${key.entity}`).toString('base64'),
    displayName: key.runId,
    notes: null,
    group: null,
    jobType: null,
    commit: null,
    host: null,
    tags: [],
    config: '{}',
    summary: '{}',
    createdAt: now,
    heartbeatAt: now,
    exitCode: null,
    preempting: false,
    deleted: false,
    files: [],
  };
}
