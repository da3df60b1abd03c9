import type { Command } from 'commander';

import { clean } from '../format.ts';
import { withJson, type CliContext, type DataOptions } from '../context.ts';
import type { FreezeOptions } from './environment-freeze.ts';
import type { PruneOptions } from './environment-prune.ts';

/**
 * `environment`: the frozen environments on the shared disk, by hand. What each does is loaded only when it is asked for:
 * the other commands have no use for the builder.
 */
export function addEnvironment(program: Command, context: CliContext): void {
  const environment = program
    .command('environment')
    .description('the frozen environments on the shared disk: build, prove, look at and remove them');
  addFreeze(environment, context);
  withJson(environment.command('verify <environment>'))
    .description('whether an environment is still what its proof says (a digest, its beginning, or a folder)')
    .action(async (name: string, options: DataOptions) => {
      const { verifyByHand } = await import('./environment-verify.ts');
      await verifyByHand(context, name, options);
    });
  withJson(environment.command('show <environment>'))
    .description('what is in an environment, how it was proven, and who uses it')
    .action(async (name: string, options: DataOptions) => {
      const { showEnvironment } = await import('./environment-show.ts');
      await showEnvironment(context, name, options);
    });
  withJson(environment.command('list'))
    .description('all environments with size, age and users, the newest first')
    .action(async (options: DataOptions) => {
      const { listByHand } = await import('./environment-show.ts');
      await listByHand(context, options);
    });
  withJson(environment.command('prune [environments...]'))
    .description('removes what no experiment names, whole or half-built; of the named ones, or of all')
    .option('--yes', 'do not ask')
    .option('--force', 'also those of the named ones that an experiment names')
    .option('--dry-run', 'only say what would be removed')
    .action(async (names: readonly string[], options: PruneOptions) => {
      const { pruneByHand } = await import('./environment-prune.ts');
      await pruneByHand(context, names.map(clean), options);
    });
}

function addFreeze(environment: Command, context: CliContext): void {
  withJson(environment.command('freeze <folder>'))
    .description('builds and proves the environment of a project, or finds it built')
    .option('--python <version>', 'the version; of .python-version in the folder when not given')
    .option(
      '--interpreter <path>',
      '"managed", or the absolute path of the interpreter in the image',
      'managed',
    )
    .option('--requirements <file>', 'a requirements file with hashes, instead of uv.lock')
    .action(async (folder: string, options: FreezeOptions) => {
      const { freezeByHand } = await import('./environment-freeze.ts');
      await freezeByHand(context, folder, options);
    });
}
