import { attemptKey, experimentTag } from '../../domain/ids.ts';
import type { TaskNote } from '../../domain/task-note.ts';
import { Failure } from '../../infra/failure.ts';
import { renderTemplate } from '../../infra/templates/render-template.ts';
import { attemptDir, sourceDir } from './attempt-paths.ts';
import type { JobKey } from './interface.ts';

export interface StartScriptInput extends JobKey {
  readonly runId: string;
  readonly note: TaskNote;
  /** The shared disk as the job sees it. */
  readonly jobSharedDir: string;
  /** W&B entity of this installation, for notes that name none. */
  readonly entity: string | undefined;
}

/** The text of `start.sh`. Every value is quoted for the shell, so none of them is ever read as code but the command. */
export function startScript(input: StartScriptInput): string {
  const { note, seed, jobSharedDir, experimentId } = input;
  return renderTemplate('start.sh.njk', {
    title: attemptKey(experimentId, input.attempt, seed),
    attemptDir: shellQuote(attemptDir(jobSharedDir, input)),
    sourceDir: shellQuote(sourceDir(jobSharedDir, experimentId)),
    command: shellQuote(note.job.command.replaceAll('{seed}', String(seed))),
    variables: Object.entries(variables(input)).map(([name, value]) => ({ name, value: shellQuote(value) })),
  });
}

/**
 * What the platform is asked to run. The platform's own shell is replaced by the script's: otherwise that one would be the
 * first process of the container, to which a stop is told, and would not pass it on.
 */
export function startCommand(jobSharedDir: string, key: JobKey): string {
  return `exec sh ${shellQuoteIfNeeded(`${attemptDir(jobSharedDir, key)}/start.sh`)}`;
}

function variables({
  note,
  experimentId,
  attempt,
  seed,
  runId,
  entity,
}: StartScriptInput): Record<string, string> {
  const owner = note.wandb.entity ?? entity;
  return {
    WANDB_RUN_ID: runId,
    WANDB_NAME: `${experimentId}-a${attempt}-s${seed}`,
    WANDB_PROJECT: note.wandb.project,
    ...(owner !== undefined && { WANDB_ENTITY: owner }),
    // How often the run's log is written out, s: what is not on the disk cannot be seen, and is lost with a killed job.
    WANDB_X_TRANSACTION_LOG_FLUSH_INTERVAL: '5',
    WANDB_RUN_GROUP: note.wandb.group ?? experimentId,
    WANDB_TAGS: `hephaestus,${experimentTag(experimentId)}`,
    HEPHAESTUS_EXPERIMENT: experimentId,
    HEPHAESTUS_ATTEMPT: String(attempt),
    HEPHAESTUS_SEED: String(seed),
  };
}

/** One word of a POSIX shell, whatever is in it. */
function shellQuote(value: string): string {
  if (value.includes('\0')) {
    throw new Failure(
      'TaskNoteInvalid',
      `A NUL character cannot be passed to a shell: ${JSON.stringify(value)}`,
    );
  }
  return `'${value.replaceAll("'", String.raw`'\''`)}'`;
}

function shellQuoteIfNeeded(value: string): string {
  return /^[\w./:@%+=,-]+$/.test(value) ? value : shellQuote(value);
}
