import type { Command } from 'commander';

/** One command as a person sees it. */
export interface DescribedCommand {
  /** The words that call it, without the program: `environment freeze`; empty for the program itself. */
  readonly path: readonly string[];
  readonly description: string;
  /** How its arguments are written: `<task-note.md>`. */
  readonly usage: string;
  readonly arguments: readonly Described[];
  readonly options: readonly (Described & {
    /** As typed: `--json`, `-V`. */
    readonly names: readonly string[];
    readonly takesValue: boolean;
  })[];
  readonly commands: readonly DescribedCommand[];
}

interface Described {
  /** As in the help: `--limit <n>`. */
  readonly name: string;
  readonly description: string;
  readonly choices: readonly string[];
  /** As a person would type it, where there is one. */
  readonly fallback: string | null;
}

/** What the commands say of themselves, for the reference and for completion by shells. */
export function describeCommands(command: Command, path: readonly string[] = []): DescribedCommand {
  const help = command.createHelp();
  return {
    path,
    description: command.description(),
    usage: command.usage(),
    arguments: command.registeredArguments.map((argument) => ({
      name: argument.required ? `<${argument.name()}>` : `[${argument.name()}]`,
      description: argument.description,
      choices: argument.argChoices ?? [],
      fallback: written(argument.defaultValue),
    })),
    options: help.visibleOptions(command).map((option) => ({
      name: option.flags,
      names: [option.short, option.long].filter((name) => name !== undefined),
      takesValue: option.required || option.optional,
      description: option.description,
      choices: option.argChoices ?? [],
      fallback: written(option.defaultValue),
    })),
    commands: help
      .visibleCommands(command)
      .filter((inner) => inner.name() !== 'help')
      .map((inner) => describeCommands(inner, [...path, inner.name()])),
  };
}

/** Every command of the tree, a group before its members. */
export function allCommands(command: DescribedCommand): readonly DescribedCommand[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

function written(value: unknown): string | null {
  if (value === undefined || value === false || value === null) return null;
  if (Array.isArray(value)) return value.length === 0 ? null : value.join(' ');
  return typeof value === 'string' || typeof value === 'number' ? String(value) : null;
}
