import type { JanitorFinding, JanitorReport } from '../domain/orphan.ts';
import { summariseVisit } from '../domain/summarise-visit.ts';

/** The report of a visit as Markdown, for the Web UI: first what needs a person, then what was done. `words`: what it is at. */
export function presentJanitor(report: JanitorReport, words: string): string {
  const { findings, omitted } = report;
  const undecided = findings.filter(({ todo }) => todo !== '');
  const rest = findings.filter(({ todo }) => todo === '');
  return [
    `## ${report.dryRun ? 'The janitor, only looking' : 'The janitor'}`,
    `**${escapeMarkdown(words)}**`,
    summariseVisit(report),
    ...table('Needs a person', undecided),
    ...table('Findings', rest),
    ...(omitted === 0 ? [] : [`${omitted} more are not shown.`]),
  ].join('\n\n');
}

function table(title: string, findings: readonly JanitorFinding[]): string[] {
  if (findings.length === 0) return [];
  const rows = findings.map(({ attempt, jobId, platform, action, why, todo }) =>
    [attempt, jobId ?? '-', platform, action, why, todo].map(escapeMarkdown).join(' | '),
  );
  const head = 'attempt | job | platform | what | why | what to do';
  return [`### ${title}`, [head, '---|---|---|---|---|---', ...rows].join('\n')];
}

function escapeMarkdown(text: string): string {
  return text.replaceAll(/[\\`*_[\]<>#|]/g, (character) => `\\${character}`).replaceAll(/\s+/g, ' ');
}
