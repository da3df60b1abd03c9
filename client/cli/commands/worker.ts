import { Option, type Command } from 'commander';

import { ConfigError } from '../../../infra/config/config-error.ts';
import { findEnvFileProblems } from '../../../infra/config/env-file.ts';
import { zones, type Zone } from '../../../infra/config/keys.ts';
import { loadConfig } from '../../../infra/config/load-config.ts';
import { ClientError } from '../../client-error.ts';
import { UsageError } from '../cli-errors.ts';
import { run, type CliContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';

interface WorkerOptions {
  readonly zone: readonly Zone[];
}

/** `worker`: serves the named zones until it is told to stop. */
export function addWorker(program: Command, context: CliContext): void {
  program
    .command('worker')
    .description('one worker process for the named zones')
    .addOption(
      new Option('--zone <zone...>', 'what it serves; it must not hold the credentials of other zones')
        .choices([...zones])
        .makeOptionMandatory(),
    )
    .action(async (options: WorkerOptions) => {
      await run(context, {}, async () => {
        const served = zones.filter((zone) => options.zone.includes(zone));
        const problems = findEnvFileProblems(context.cwd);
        if (problems.length > 0) throw new ConfigError(problems);
        const config = loadConfig({ env: context.env, zones: served, cwd: context.cwd });
        // Loads the whole worker, which the other commands have no use for.
        const { runWorker } = await import('../../../workers/run-worker.ts');
        const { WorkerStartError } = await import('../../../workers/worker-start-error.ts');
        try {
          await runWorker({ config, zones: served });
        } catch (error) {
          if (!(error instanceof WorkerStartError)) throw error;
          if (error.kind === 'unreachable') throw new ClientError('unreachable', error.message, error);
          throw new UsageError(error.message);
        }
        return exitCodes.done;
      });
    });
}
