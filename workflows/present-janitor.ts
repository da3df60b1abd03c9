import type { JanitorFinding, JanitorReport } from '../domain/orphan.ts';

/** The report of a visit as Markdown, for the Web UI: first what needs a person, then what was done. `words`: what it is at. */
export function presentJanitor(report: JanitorReport, words: string): string {
  const { findings, omitted } = report;
  const undecided = findings.filter(({ todo }) => todo !== '');
  const rest = findings.filter(({ todo }) => todo === '');
  return [
    `## ${report.dryRun ? 'The janitor, only looking' : 'The janitor'}`,
    `**${escapeMarkdown(words)}**`,
    summarise(report),
    ...table('Needs a person', undecided),
    ...table('Findings', rest),
    ...(omitted === 0 ? [] : [`${omitted} more are not shown.`]),
  ].join('\n\n');
}

/** One sentence with the counts. */
export function summarise(report: JanitorReport): string {
  const would = report.dryRun ? 'would be ' : '';
  return (
    `${report.looked} looked at, ${report.owned} owned, ${report.stopped} ${would}stopped, ` +
    `${report.revoked} ${would}taken back before a job came, ${report.undecided} undecided.`
  );
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
