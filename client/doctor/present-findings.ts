import { clean } from '../cli/format.ts';
import type { Colours } from '../cli/output.ts';
import { systems, type Finding, type FindingStatus, type System } from './finding.ts';

const titles: Readonly<Record<System, string>> = {
  configuration: 'Configuration',
  home: 'Home',
  tools: 'Tools',
  temporal: 'Temporal',
  github: 'GitHub',
  qizhi: 'Qizhi',
  wandb: 'W&B',
  models: 'Models',
  disk: 'Shared disk',
  clock: 'Clock',
};

/** For people: each system with its findings, and a last line that says how it stands. */
export function presentFindings(findings: readonly Finding[], colours: Colours): string[] {
  const marks: Readonly<Record<FindingStatus, string>> = {
    good: colours.green('ok     '),
    warning: colours.yellow('warning'),
    bad: colours.red('WRONG  '),
    unreachable: colours.red('AWAY   '),
    skipped: colours.dim('-      '),
  };
  const sections = systems.flatMap((system) => {
    const own = findings.filter((finding) => finding.system === system);
    if (own.length === 0) return [];
    return [
      colours.bold(titles[system]),
      ...own.flatMap((finding) => lines(finding, marks[finding.status], colours)),
      '',
    ];
  });
  return [...sections, verdict(findings)];
}

function lines({ what, why, todo, status }: Finding, mark: string, { dim }: Colours): string[] {
  const indent = ' '.repeat(11);
  return [
    `  ${mark}  ${clean(what)}`,
    ...(why === '' ? [] : [`${indent}${dim(clean(why))}`]),
    ...(todo === '' || status === 'good' ? [] : [`${indent}-> ${clean(todo)}`]),
  ];
}

function verdict(findings: readonly Finding[]): string {
  const count = (status: FindingStatus): number =>
    findings.filter((finding) => finding.status === status).length;
  const parts = [
    [count('bad'), 'wrong'],
    [count('unreachable'), 'away'],
    [count('warning'), count('warning') === 1 ? 'warning' : 'warnings'],
    [count('skipped'), 'not configured here'],
  ] as const;
  const told = parts.filter(([number]) => number > 0).map(([number, word]) => `${number} ${word}`);
  const well = count('bad') + count('unreachable') === 0;
  return `${well ? 'All is well' : 'Something is to be mended'}${told.length === 0 ? '.' : `: ${told.join(', ')}.`}`;
}
