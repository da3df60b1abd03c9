import { join } from 'node:path';

import type { Command } from 'commander';

import { ConfigError } from '../../../infra/config/config-error.ts';
import { findEnvFileProblems } from '../../../infra/config/env-file.ts';
import { section, type Config } from '../../../infra/config/config.ts';
import { zones } from '../../../infra/config/keys.ts';
import { loadConfig } from '../../../infra/config/load-config.ts';
import { given } from '../../../infra/config/reader.ts';
import { toolsRoot } from '../../../infra/tools/tools-root.ts';
import { pageUrlOf } from '../../up/address-of.ts';
import { run, type CliContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Output } from '../output.ts';

interface UpOptions {
  readonly plain?: boolean;
  readonly setDatabaseAside?: boolean;
}

/** `up`: everything on this machine, until it is told to stop. */
export function addUp(program: Command, context: CliContext): void {
  program
    .command('up')
    .description(
      'everything on this machine: Temporal, the worker for every zone, the page for people, the webhook server',
    )
    .option('--plain', 'lines instead of a moving screen, also on a terminal')
    .option('--set-database-aside', 'begin with a new database; the old one is kept under another name')
    .action(async (options: UpOptions) => {
      await run(context, {}, async (output) => {
        const config = loadUpConfig(context);
        await up(context, options, config, output);
        return exitCodes.done;
      });
    });
}

/** The configuration of every zone, the webhook server's too where it has a secret. Throws `ConfigError`. */
function loadUpConfig({ env, cwd }: CliContext): Config {
  const webhook = [env, 'GITHUB_WEBHOOK_SECRET', 'GITHUB_WEBHOOK_SECRET_FILE'] as const;
  const wanted = given(webhook[0], webhook[1]) ?? given(webhook[0], webhook[2]);
  const problems = findEnvFileProblems(cwd);
  try {
    const config = loadConfig({ env, zones, cwd, webhook: wanted !== undefined, page: true });
    if (problems.length === 0) return config;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems.push(...error.problems);
  }
  throw new ConfigError(problems);
}

async function up(context: CliContext, options: UpOptions, config: Config, output: Output): Promise<void> {
  // Loads the server's side, which the other commands have no use for.
  const { runUp } = await import('../../up/run-up.ts');
  const { watchBoard } = await import('../../up/watch-board.ts');
  const { presentBoard } = await import('../../up/present-board.ts');
  const { openScreen } = await import('../../up/screen.ts');
  const { streams, env, program, cwd } = context;
  const stop = new AbortController();
  const end = (): void => stop.abort();
  for (const name of ['SIGTERM', 'SIGHUP'] as const) process.on(name, end);
  const screen = options.plain === true ? null : openScreen(streams, env);
  const tell = (line: string): void => output.say(screen === null ? `${clock()}  ${line}` : line);
  const watch = watchBoard({
    config,
    openExperiments: context.openExperiments,
    onEvent: (text) => {
      if (screen === null) tell(text);
    },
    onBoard: (board) => {
      if (screen === null) return;
      // Takes the line away that was there before the first board.
      output.progress('');
      const size = { columns: screen.columns(), rows: screen.rows() };
      screen.draw(presentBoard(board, { colours: output.colours, program, ...size }));
    },
  });
  output.progress('Looking at this machine …');
  try {
    await runUp({
      config,
      cwd,
      environment: env,
      toolsRoot: toolsRoot(context.env),
      setDatabaseAside: options.setDatabaseAside === true,
      program,
      signal: AbortSignal.any([context.signal, stop.signal]),
      tell,
      onChange: (service) => watch.serviceChanged(service),
      onStarted: async (services, signal) => {
        const ready = Promise.all(services.map((service) => service.ready)).then(
          // The screen says it in its first line.
          () => (screen === null ? tell(upLine(config)) : undefined),
          () => undefined,
        );
        await watch.run(services, signal);
        await ready;
      },
    });
  } finally {
    screen?.leave();
    for (const name of ['SIGTERM', 'SIGHUP'] as const) process.removeListener(name, end);
  }
  tell('Stopped. Jobs on the cluster go on; the experiments go on at the next `up`.');
}

function upLine(config: Config): string {
  const { temporal, home } = config;
  return `Hephaestus is up. The page for people: ${pageUrlOf(section(config, 'page'))}  Temporal Web UI: ${temporal.uiUrl}  Logs: ${join(home, 'logs')}`;
}

function clock(): string {
  return new Date().toISOString().slice(0, 19).replace('T', ' ');
}
