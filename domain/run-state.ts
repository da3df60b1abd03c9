/** What is known of one offline run: its log, the job that writes it, and what the server answered. */
export interface RunFacts {
  readonly log: {
    /** Null while the log does not tell whose it is. */
    readonly runId: string | null;
    /** Of all fragments together, when the job began the run more than once. */
    readonly rows: number;
    readonly lastStep: number | null;
    /** The log's own end; null when it has none. */
    readonly exitCode: number | null;
    /** Null where the log is sound as far as it goes. */
    readonly damage: { readonly byte: number; readonly why: string } | null;
  };
  /** `exitCode`: by the job's own exit record; `silent`: nothing has moved for longer than a living job lets it. */
  readonly job: { readonly exitCode: number | null; readonly silent: boolean };
  readonly server: ServerSight;
}

/** What the server answered about a run. */
export type ServerSight =
  | { readonly status: 'unasked' }
  | { readonly status: 'absent' }
  /** Its id can never be used again. */
  | { readonly status: 'deleted' }
  /** The key is not accepted, or may not write there. */
  | { readonly status: 'refused'; readonly why: string }
  | {
      readonly status: 'known';
      readonly rows: number;
      readonly lastStep: number | null;
      readonly state: string;
      /** Names of the summary whose values are others than in the log. */
      readonly summaryDiffers: readonly string[];
      /** Names of files that the log announces, that lie in the run's folder, and that did not arrive. */
      readonly filesMissing: readonly string[];
    };

/**
 * - `pending`: nothing is on the server yet.
 * - `mirroring`: the run is alive; its rows are on their way.
 * - `draining`: the run has ended; something is missing on the server, which is being sent.
 * - `acknowledged`: the server shows all of it.
 * - `quarantined`: trying again cannot help; only a person can.
 */
export type RunStatus = 'pending' | 'mirroring' | 'draining' | 'acknowledged' | 'quarantined';

export interface RunState {
  readonly status: RunStatus;
  readonly reason: string;
  /** What a person can do; '' where nothing is needed. */
  readonly cure: string;
  /** Only for `quarantined`: what is wrong, for programs. */
  readonly cause: QuarantineCause | null;
}

export type QuarantineCause = 'corrupt' | 'deleted' | 'refused' | 'empty' | 'surplus';

/** The one rule of what state a run is in. */
export function decideRunState({ log, job, server }: RunFacts): RunState {
  const ended = log.exitCode !== null || job.exitCode !== null || job.silent;
  if (server.status === 'deleted') {
    return quarantined(
      'deleted',
      'it was deleted on the server, which never takes a deleted id again',
      'Restore it in its web page (project, "Undelete recently deleted runs"), or send it under another id: wandb sync --id <new id> <folder>.',
    );
  }
  if (server.status === 'refused') {
    return quarantined(
      'refused',
      server.why,
      "Set WANDB_API_KEY to a key of an account that may write to the run's entity, and check WANDB_ENTITY.",
    );
  }
  // The end of a file that still grows may be seen before its bytes are.
  if (ended && log.damage !== null) {
    return quarantined(
      'corrupt',
      `its log is damaged at byte ${log.damage.byte}: ${log.damage.why}; the ${log.rows} rows before it are sound`,
      'Check the disk. Train again, or send what is sound by hand: wandb sync <folder>.',
    );
  }
  if (ended && (log.runId === null || log.rows === 0)) {
    return quarantined(
      'empty',
      'it ended before a history row reached the disk',
      'Nothing can be sent: W&B keeps the last seconds in memory, so a job that is killed early leaves nothing.',
    );
  }
  if (server.status !== 'known') {
    const what =
      server.status === 'absent' ? 'the server does not have it yet' : 'the server was not asked yet';
    return plain('pending', ended ? `${what}; the run has ended` : `${what}; the run is alive`);
  }
  if (server.rows > log.rows) {
    return quarantined(
      'surplus',
      `the server has ${server.rows} rows, the log ${log.rows}: it was sent more than once, or two runs share this id`,
      'Delete it on the server and send it under another id (wandb sync --id <new id> <folder>), or take it as it is: readers find each step.',
    );
  }
  if (!ended) return plain('mirroring', `${server.rows} of ${log.rows} rows are on the server`);
  const missing = missingOf(log, job, server);
  return missing === null
    ? plain('acknowledged', `all ${log.rows} rows, the summary and the files are on the server`)
    : plain('draining', missing);
}

/** What still differs between log and server, in words; null when nothing does. */
function missingOf(
  log: RunFacts['log'],
  job: RunFacts['job'],
  server: Extract<ServerSight, { status: 'known' }>,
): string | null {
  if (server.rows !== log.rows) return `${server.rows} of ${log.rows} rows are on the server`;
  if (server.lastStep !== log.lastStep) {
    return `the last step is ${server.lastStep ?? 'none'} on the server, ${log.lastStep ?? 'none'} in the log`;
  }
  const exitCode = log.exitCode ?? job.exitCode ?? unknownExitCode;
  if (!fitsExit(server.state, exitCode)) {
    return `it is shown as ${server.state}; it ended with code ${exitCode}`;
  }
  const [name] = server.summaryDiffers;
  if (name !== undefined)
    return `the summary differs in ${server.summaryDiffers.length} values, first "${name}"`;
  const [file] = server.filesMissing;
  if (file !== undefined) return `${server.filesMissing.length} files did not arrive, first ${file}`;
  return null;
}

/** With this code a run is closed that nobody knows the end of: W&B itself takes it for one. */
export const unknownExitCode = 1;

/** `crashed` is what the server says of a run that nobody closed, so it is never the end of one that was sent whole. */
function fitsExit(state: string, exitCode: number): boolean {
  return exitCode === 0 ? state === 'finished' : ['failed', 'killed', 'preempted'].includes(state);
}

function plain(status: Exclude<RunStatus, 'quarantined'>, reason: string): RunState {
  return { status, reason, cure: '', cause: null };
}

function quarantined(cause: QuarantineCause, reason: string, cure: string): RunState {
  return { status: 'quarantined', reason, cure, cause };
}
