import type { Command } from 'commander';

import { loadConfig } from '../../../infra/config/load-config.ts';
import { run, type CliContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';

/** `codec-server`: clear text of encrypted payloads, until it is told to stop. */
export function addCodecServer(program: Command, context: CliContext): void {
  program
    .command('codec-server')
    .description("clear text of encrypted payloads for Temporal's Web UI, for those who bring the token")
    .action(async () => {
      await run(context, {}, async (output) => {
        const config = loadConfig({ env: context.env, zones: [], cwd: context.cwd, codec: true });
        const { runCodecServer } = await import('../../codec-server/run-codec-server.ts');
        await runCodecServer(config, {
          signal: context.signal,
          onListening: (url) =>
            output.say(`Listening on ${url}, for the pages of ${new URL(config.temporal.uiUrl).origin}`),
        });
        return exitCodes.done;
      });
    });
}
