import { exitCodes } from '../cli/exit-codes.ts';
import { allCommands, type DescribedCommand } from './command-tree.ts';

const exitMeanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  done: 'done',
  endedBadly: 'the experiment or the check ended badly',
  usage: 'wrong usage or configuration',
  notFound: 'not found',
  refused: 'refused (phase, head, permission)',
  unreachable: 'an outside system cannot be reached',
  interrupted: 'interrupted',
};

/** `docs/cli.md`: every command with its arguments and options, as the commands themselves tell them. */
export function referenceMarkdown(program: DescribedCommand): string {
  const commands = allCommands(program).filter(({ path }) => path.length > 0);
  const lines = [
    '# The command line',
    '',
    '<!-- Written by `npm run schema` from the commands themselves: change them, not this file. -->',
    '',
    'In a checkout `hephaestus` is written `npm run -s hephaestus --`. Every command takes `--help`.',
    '',
    '| command | does |',
    '|---|---|',
    ...commands.map(
      ({ path, description }) => `| [\`${path.join(' ')}\`](#${anchor(path)}) | ${cell(description)} |`,
    ),
    '',
    '## Exit codes',
    '',
    '| code | means |',
    '|---|---|',
    ...Object.entries(exitCodes).map(
      ([name, code]) => `| ${code} | ${exitMeanings[name as keyof typeof exitCodes]} |`,
    ),
    '',
    ...commands.flatMap(section),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

function section(command: DescribedCommand): readonly string[] {
  const rows = [...command.arguments, ...command.options.filter(({ names }) => !names.includes('--help'))];
  return [
    `## hephaestus ${command.path.join(' ')}`,
    '',
    sentence(command.description),
    '',
    '```',
    `hephaestus ${[...command.path, command.usage].join(' ')}`,
    '```',
    '',
    ...(rows.length === 0 ? [] : ['| | |', '|---|---|', ...rows.map(row), '']),
  ];
}

function row({ name, description, choices, fallback }: DescribedCommand['arguments'][number]): string {
  const more = [
    ...(choices.length > 0 ? [`one of ${choices.map((choice) => `\`${choice}\``).join(', ')}`] : []),
    ...(fallback === null ? [] : [`default \`${fallback}\``]),
  ];
  return `| \`${cell(name)}\` | ${[cell(description), ...more].filter((text) => text !== '').join('; ')} |`;
}

function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`).replaceAll('\n', ' ');
}

function anchor(path: readonly string[]): string {
  return ['hephaestus', ...path].join('-');
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\.$/, '')}.`;
}
