import type { Command } from 'commander';

import { addPayloadKey, PayloadKeysError } from '../../../infra/temporal/codec/payload-keys.ts';
import { UsageError } from '../cli-errors.ts';
import { pathFrom, run, withJson, type CliContext, type DataOptions } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';

/** `payload-keys new`: makes or extends the file of keys. */
export function addPayloadKeys(program: Command, context: CliContext): void {
  const keys = program
    .command('payload-keys')
    .description('the keys that payloads in Temporal are encrypted with');
  withJson(keys.command('new'))
    .description(
      'makes the file, or adds a key to it and has it used from now on; older keys stay for what they sealed',
    )
    .argument('<file>', 'the file that HEPHAESTUS_PAYLOAD_KEYS_FILE names, such as payload-keys.json')
    .action(async (file: string, options: DataOptions) => {
      await run(context, options, async (output) => {
        const path = pathFrom(context, file);
        try {
          const active = await addPayloadKey(path, new Date());
          output.answer({ file: path, active }, [
            `${path} holds the key ${active}, and uses it from now on.`,
            'Bring the file to every worker, the webhook server and the command line, then start them again.',
            'Keep a copy apart from the database: without it nobody can read the histories.',
          ]);
        } catch (error) {
          if (!(error instanceof PayloadKeysError)) throw error;
          throw new UsageError(error.message);
        }
        return exitCodes.done;
      });
    });
}
