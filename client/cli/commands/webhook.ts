import type { Command } from 'commander';

import { loadConfig } from '../../../infra/config/load-config.ts';
import { runWebhook } from '../../webhook/run-webhook.ts';
import { run, type CliContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';

/** `webhook`: the server for GitHub's deliveries, until it is told to stop. */
export function addWebhook(program: Command, context: CliContext): void {
  program
    .command('webhook')
    .description('the GitHub webhook server, and the page for people')
    .action(async () => {
      await run(context, {}, async (output) => {
        const config = loadConfig({ env: context.env, zones: [], cwd: context.cwd, webhook: true });
        await runWebhook(config, {
          signal: context.signal,
          onListening: (url) => output.say(`Listening on ${url}`),
          onPage: (url) => output.say(`The page for people: ${url}`),
        });
        return exitCodes.done;
      });
    });
}
