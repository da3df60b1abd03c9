import type { ServiceState } from '../../infra/supervisor/supervise.ts';

/** Everything that the screen of `up` shows at one moment. */
export interface Board {
  /** Times in ms since the epoch. */
  readonly now: number;
  readonly startedAt: number;
  readonly home: string;
  /** On its disk; null when the disk does not tell. */
  readonly freeBytes: number | null;
  readonly uiUrl: string;
  readonly services: readonly BoardService[];
  /** null until they could be asked for once. */
  readonly experiments: readonly BoardExperiment[] | null;
  /** Why the experiments shown may be out of date; null when they are not. */
  readonly stale: string | null;
  /** What happened last, the newest at the end. */
  readonly events: readonly BoardEvent[];
}

export interface BoardEvent {
  readonly at: number;
  readonly text: string;
}

export interface BoardService {
  readonly name: string;
  readonly state: ServiceState;
  readonly restarts: number;
  /** Resident, of the process itself; null where that is not known. */
  readonly memoryBytes: number | null;
  /** What it serves, or where. */
  readonly remark: string;
}

export interface BoardExperiment {
  readonly id: string;
  readonly running: boolean;
  readonly phase: string;
  /** ISO 8601; when this phase, or the whole of it, began. */
  readonly since: string;
  readonly waitingFor: string;
  /** What only a person can do now; null when nothing is asked. */
  readonly asked: string | null;
  readonly pullRequestUrl: string | null;
  /** Its page in the Temporal Web UI; null while it was not asked yet. */
  readonly url: string | null;
}
