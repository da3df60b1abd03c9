import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

import type { Command } from 'commander';

import { ConfigError } from '../../infra/config/config-error.ts';
import type { Config } from '../../infra/config/config.ts';
import { loadConfig } from '../../infra/config/load-config.ts';
import type { Environment } from '../../infra/env.ts';
import type { Experiments } from '../experiments.ts';
import { InterruptedError, UsageError } from './cli-errors.ts';
import { exitCodeOf, exitCodes, isForeseen, type ExitCode } from './exit-codes.ts';
import { createOutput, type Output, type Streams } from './output.ts';

/** What a command may use of the world. */
export interface CliContext {
  readonly env: Environment;
  readonly cwd: string;
  readonly streams: Streams;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly openExperiments: (settings: Config['temporal']) => Experiments;
  /** How this program is called here, for the commands that are suggested. */
  readonly program: string;
  /** Where the command leaves its exit code. */
  readonly exit: { code: ExitCode };
}

export interface DataOptions {
  readonly json?: boolean;
}

/** A command that speaks with Temporal: prints, and returns the exit code or throws. */
export type ExperimentsAction = (tools: {
  readonly experiments: Experiments;
  readonly output: Output;
  readonly config: Config;
}) => Promise<ExitCode>;

/** Runs a command with a connection that is closed afterwards, however it ends. */
export async function withExperiments(
  context: CliContext,
  options: DataOptions,
  action: ExperimentsAction,
): Promise<void> {
  await run(context, options, async (output) => {
    const config = loadConfig({ env: context.env, zones: [], cwd: context.cwd });
    const experiments = context.openExperiments(config.temporal);
    try {
      return await interruptible(context.signal, action({ experiments, output, config }));
    } finally {
      await experiments.close();
    }
  });
}

/** The one place where what a command threw is told and becomes an exit code. */
export async function run(
  context: CliContext,
  options: DataOptions,
  action: (output: Output) => Promise<ExitCode>,
): Promise<void> {
  const output = createOutput(context.streams, context.env, options.json === true);
  try {
    context.exit.code = await action(output);
  } catch (error) {
    context.exit.code = exitCodeOf(error);
    tell(error, output, context);
  }
}

/** `--json`, in the same words for every command that prints data. */
export function withJson(command: Command): Command {
  return command.option('--json', 'print one JSON document; text for people goes to standard error');
}

/** Who acts, for the record: what was given, else the account. */
export function actor(given: string | undefined, env: Environment): string {
  return given ?? env['GIT_AUTHOR_NAME'] ?? env['USER'] ?? env['LOGNAME'] ?? 'somebody on the command line';
}

/** A file that the person named, as an absolute path. npm runs a script in the checkout, not where the person stands. */
export function pathFrom({ env, cwd }: CliContext, path: string): string {
  const stands = env['npm_lifecycle_event'] === 'hephaestus' ? env['INIT_CWD'] : undefined;
  return resolve(stands ?? cwd, path);
}

async function interruptible<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const interrupt = (): void => reject(new InterruptedError());
  signal.addEventListener('abort', interrupt, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', interrupt);
  }
}

function tell(error: unknown, output: Output, { cwd, program }: CliContext): void {
  const foreseen = isForeseen(error);
  const message = error instanceof Error ? error.message : String(error);
  output.warn(foreseen || !(error instanceof Error) ? message : (error.stack ?? message));
  if (error instanceof ConfigError && !existsSync(join(cwd, '.env'))) {
    output.warn(`There is no .env in ${cwd}: ${program} init writes one, by questions.`);
  }
  if (!output.json) return;
  const problems = error instanceof UsageError ? error.problems : [];
  const name = exitName(exitCodeOf(error));
  output.answer({ error: { kind: name, message, ...(problems.length > 0 && { problems }) } }, []);
}

function exitName(code: ExitCode): string {
  return Object.entries(exitCodes).find(([, value]) => value === code)?.[0] ?? 'endedBadly';
}
