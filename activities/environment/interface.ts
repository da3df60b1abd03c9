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

export interface RehearseCommandInput {
  readonly experimentId: string;
  readonly note: TaskNote;
  /** The commit that is rehearsed; the experiment's worktree must hold it. */
  readonly headSha: string;
  readonly seed: number;
  /** The W&B run id that the command must take. */
  readonly runId: string;
}

/**
 * - `command-failed`: it ended with another exit code than 0
 * - `start-refused`: the start script found the environment or the folders unfit
 * - `run-missing`, `run-renamed`, `run-online`: no W&B run, one with another id, or one that was not offline
 * - `connection-attempted`: it tried to reach the network
 * - `needs-gpu`: it asked for a GPU, and this machine has none
 * - `not-possible-here`: this machine cannot show the command what the job will see
 */
export type RehearsalCode =
  | 'command-failed'
  | 'start-refused'
  | 'run-missing'
  | 'run-renamed'
  | 'run-online'
  | 'connection-attempted'
  | 'needs-gpu'
  | 'not-possible-here';

/** How the experiment's own command behaved where everything is as in the job but the GPU. */
export interface CommandRehearsal {
  /** `skipped`: nothing can be said, for the reason in `sentence`; this is no reason to block. */
  readonly status: 'passed' | 'failed' | 'skipped';
  /** Null when it passed. */
  readonly code: RehearsalCode | null;
  /** For people: what was seen, and what to do about it. */
  readonly sentence: string;
  /** An offline W&B run with the chosen id appeared. */
  readonly sawRun: boolean;
  /** Addresses that it tried to reach, with the line of code where that is known; empty when it tried none. */
  readonly connections: readonly string[];
  /** What could not be seen or held here, as sentences; empty when nothing is missing. */
  readonly missingGuarantees: readonly string[];
  /** Wall time. */
  readonly seconds: number;
  /** The last lines of its output. */
  readonly outputTail: string;
}

/** Queue `networked`: uv on the shared disk. */
export interface EnvironmentActivities {
  /** Builds (or finds) the environment, proves it, and links it as `.venv` into the worktree. */
  freezeEnvironment(input: FreezeInput): Promise<FrozenEnvironment>;
  /**
   * Runs the note's command for a short while as the job will. After `freezeEnvironment`. A rehearsal that passed is
   * remembered for the same commit, seed and environment.
   */
  rehearseCommand(input: RehearseCommandInput): Promise<CommandRehearsal>;
}
