import type { TaskNote } from '../../domain/task-note.ts';

export interface FreezeInput {
  readonly experimentId: string;
  readonly environment: TaskNote['environment'];
}

export interface FrozenEnvironment {
  /** Names what went in; the folder is `<shared>/environments/<digest>/`. */
  readonly digest: string;
  /** True when it stood there already and was built for an earlier experiment or attempt. */
  readonly reused: boolean;
  readonly packages: number;
  readonly bytes: number;
  /** Guarantees that the rehearsal could not give on this machine, as sentences; empty when it gave all. */
  readonly missingGuarantees: readonly string[];
}

/** Queue `networked`: uv on the shared disk. */
export interface EnvironmentActivities {
  /** Builds (or finds) the environment, proves it, and links it as `.venv` into the worktree. */
  freezeEnvironment(input: FreezeInput): Promise<FrozenEnvironment>;
}
