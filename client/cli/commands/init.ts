import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Option, type Command } from 'commander';
import { parse } from 'dotenv';

import { allKeys, zones, type Zone } from '../../../infra/config/keys.ts';
import { given } from '../../../infra/config/reader.ts';
import { processEnvironment } from '../../../infra/env.ts';
import type { Asker } from '../../init/asker.ts';
import { collectValues, readGiven, stillMissing } from '../../init/collect-values.ts';
import type { Values } from '../../init/env-text.ts';
import { isSecret } from '../../init/questions.ts';
import { wouldBeCommitted, writeEnvFile } from '../../init/write-env-file.ts';
import { ClientError } from '../../client-error.ts';
import { UsageError } from '../cli-errors.ts';
import { run, type CliContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { table } from '../format.ts';

interface InitOptions {
  readonly zone?: readonly Zone[];
  readonly set: readonly string[];
  readonly fromEnvironment?: boolean;
  readonly yes?: boolean;
  readonly force?: boolean;
}

const zoneNames: readonly { readonly value: Zone; readonly name: string }[] = [
  { value: 'local', name: 'local: plans and writes notes, with Gemini CLI' },
  { value: 'control', name: 'control: talks to GitHub and to the cluster' },
  { value: 'networked', name: 'networked: code, environments, W&B, on the shared disk' },
];

/** `init`: writes a commented `.env` from answers, flags and what stands in the environment. */
export function addInit(program: Command, context: CliContext): void {
  program
    .command('init')
    .description('writes a commented .env file here and says what is still to be filled in')
    .addOption(new Option('--zone <zone...>', 'what this machine serves (default: all)').choices([...zones]))
    .option('--set <KEY=VALUE...>', 'a setting; a secret as KEY_FILE=<path>', [])
    .option('--from-environment', 'take what stands in the environment, secrets too, into the file')
    .option('-y, --yes', 'ask nothing')
    .option('--force', 'replace a .env that is there; its values are kept, and so is a copy of it')
    .action(async (options: InitOptions) => {
      await run(context, {}, async (output) => {
        const { cwd, env, program: called } = context;
        const path = join(cwd, '.env');
        const exists = existsSync(path);
        if (exists && options.force !== true) {
          const message = `${path} is there already: \`${called} init --force\` goes over it once more and keeps a copy.`;
          throw new ClientError('refused', message);
        }
        const asker = options.yes === true ? null : await openAsker(context);
        const served =
          options.zone ?? (await asker?.choose('What does this machine serve?', zoneNames)) ?? zones;
        const present = {
          ...(options.fromEnvironment === true ? fromEnvironment() : {}),
          ...(exists ? parse(readFileSync(path, 'utf8')) : {}),
        };
        const collected = { zones: served, present, given: readGiven(options.set), asker, cwd };
        const values = await collectValues(collected);
        const { copy } = await writeEnvFile(cwd, values, { replace: exists });
        output.say(`Wrote ${path}, for your eyes alone (mode 0600).`);
        if (copy !== null) output.say(`What stood there before is in ${copy}.`);
        if (await wouldBeCommitted(cwd, env)) {
          output.warn(
            'git does not ignore .env here: add it to .gitignore before you commit, or the secrets are published.',
          );
        }
        for (const line of nextLines(stillMissing(served, values), called)) output.say(line);
        return exitCodes.done;
      });
    });
}

async function openAsker({ streams, signal }: CliContext): Promise<Asker> {
  if (streams.stdout.isTTY !== true || !process.stdin.isTTY) {
    throw new UsageError(
      'There is no terminal to ask at: expected --yes, with --set KEY=VALUE for what is known.',
    );
  }
  const { terminalAsker } = await import('../../init/asker.ts');
  return terminalAsker(signal);
}

function fromEnvironment(): Values {
  const env = processEnvironment();
  const names = allKeys().flatMap((key) => (isSecret(key) ? [key, `${key}_FILE`] : [key]));
  return Object.fromEntries(
    names.flatMap((name) => (given(env, name) === undefined ? [] : [[name, env[name] ?? '']])),
  );
}

function nextLines(missing: readonly string[], program: string): string[] {
  return [
    ...(missing.length === 0 ? [] : ['', `Still to be filled in: ${missing.join(', ')}`]),
    '',
    ...table([
      [`${program} doctor`, 'tries every configured system'],
      [`${program} up`, 'starts everything on this machine'],
    ]),
  ];
}
