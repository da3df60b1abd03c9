import { Argument, type Command } from 'commander';

import { describeCommands } from '../../reference/command-tree.ts';
import { completionScript, shells, type Shell } from '../../reference/completion-script.ts';
import { run, type CliContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';

/** `completion`: prints a script for the person's shell. */
export function addCompletion(program: Command, context: CliContext): void {
  program
    .command('completion')
    .description('print a script that lets your shell complete commands and options')
    .addArgument(new Argument('<shell>', 'the shell that you use').choices(shells))
    .addHelpText(
      'after',
      `
bash:  hephaestus completion bash > ~/.local/share/bash-completion/completions/hephaestus
zsh:   hephaestus completion zsh > a folder of your $fpath, as _hephaestus
fish:  hephaestus completion fish > ~/.config/fish/completions/hephaestus.fish`,
    )
    .action(async (shell: Shell) => {
      await run(context, {}, async (output) => {
        output.answer({}, completionScript(describeCommands(program), shell).trimEnd().split('\n'));
        return exitCodes.done;
      });
    });
}
