import { allCommands, type DescribedCommand } from './command-tree.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** A script that completes commands and options in a shell; it needs nothing of this program when it runs. */
export function completionScript(program: DescribedCommand, shell: Shell): string {
  switch (shell) {
    case 'bash':
      return `${bashFunction(program)}complete -o default -F _hephaestus hephaestus\n`;
    case 'zsh':
      // zsh understands scripts for bash once it is told to.
      return `#compdef hephaestus\nautoload -U +X bashcompinit && bashcompinit\n${bashFunction(program)}complete -o default -F _hephaestus hephaestus\n`;
    case 'fish':
      return fishLines(program);
  }
}

/** Walks the words that were typed down the tree, then offers what can follow; files where nothing fits. */
function bashFunction(program: DescribedCommand): string {
  const commands = allCommands(program);
  const steps = commands.flatMap(({ path, commands: inner }) =>
    inner.map(({ path: next }) => `      '${[...path, next.at(-1)].join(' ')}') at='${next.join(' ')}' ;;`),
  );
  const offers = commands.map(
    (command) => `    '${command.path.join(' ')}') words='${words(command).join(' ')}' ;;`,
  );
  const choices = commands.flatMap(({ path, options }) =>
    options
      .filter((option) => option.choices.length > 0)
      .flatMap(({ names, choices: values }) =>
        names.map((name) => `    '${[...path, name].join(' ')}') words='${values.join(' ')}' ;;`),
      ),
  );
  return `_hephaestus() {
  local at='' words='' word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    case "\${at:+$at }$word" in
${steps.join('\n')}
    esac
  done
  case "$at" in
${offers.join('\n')}
  esac
  case "\${at:+$at }\${COMP_WORDS[COMP_CWORD-1]}" in
${choices.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
`;
}

function words({ commands, options, arguments: takes }: DescribedCommand): readonly string[] {
  return [
    ...commands.map(({ path }) => path.at(-1) ?? ''),
    ...takes.flatMap(({ choices }) => choices),
    ...options.flatMap(({ names }) => names.filter((name) => name.startsWith('--'))),
  ];
}

function fishLines(program: DescribedCommand): string {
  const lines = allCommands(program).flatMap(({ path, commands, options, arguments: takes }) => {
    const when = `complete -c hephaestus -n '${fishCondition(path, commands)}'`;
    return [
      ...commands.map(
        ({ path: next, description }) => `${when} -f -a ${next.at(-1)} -d ${fishQuote(description)}`,
      ),
      ...takes
        .filter(({ choices }) => choices.length > 0)
        .map(
          ({ choices, description }) =>
            `${when} -f -a ${fishQuote(choices.join(' '))} -d ${fishQuote(description)}`,
        ),
      ...options.flatMap(({ names, description, takesValue, choices }) =>
        names
          .filter((name) => name.startsWith('--'))
          .map(
            (name) =>
              `${when} -l ${name.slice(2)}${takesValue ? ' -r' : ''}` +
              `${choices.length > 0 ? ` -f -a ${fishQuote(choices.join(' '))}` : ''} -d ${fishQuote(description)}`,
          ),
      ),
    ];
  });
  return `${lines.join('\n')}\n`;
}

function fishCondition(path: readonly string[], commands: DescribedCommand['commands']): string {
  if (path.length === 0) return '__fish_use_subcommand';
  const seen = path.map((word) => `__fish_seen_subcommand_from ${word}`);
  const inner = commands.map(({ path: next }) => next.at(-1)).join(' ');
  return [...seen, ...(inner === '' ? [] : [`not __fish_seen_subcommand_from ${inner}`])].join('; and ');
}

function fishQuote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`)}'`;
}
