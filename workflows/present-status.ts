import type { ExperimentStatus, JobStatus } from '../domain/experiment.ts';

/** The experiment's state as Markdown, for the current details in the Temporal Web UI. */
export function presentStatus(status: ExperimentStatus): string {
  return [
    `## ${escapeMarkdown(status.title)}`,
    `**${status.phase}**${status.waitingFor === '' ? '' : `: ${escapeMarkdown(status.waitingFor)}`}`,
    ...section('Result', status.evidence === null ? [] : [escapeMarkdown(status.evidence.verdict.sentence)]),
    ...section(
      'Failure',
      status.failure === null
        ? []
        : [`\`${status.failure.type}\`: ${escapeMarkdown(status.failure.message)}`],
    ),
    ...section(
      'Gate',
      status.gate === null
        ? []
        : [`${status.gate.status}: ${escapeMarkdown(status.gate.reasons.join('; '))}`],
    ),
    ...section(
      'Jobs',
      status.attempts.flatMap((attempt) => attempt.jobs.map((job) => presentJob(attempt.number, job))),
    ),
    ...section(
      'Links',
      status.links.map((link) => `[${escapeMarkdown(link.label)}](${link.url})`),
    ),
    ...section(
      'Refused decisions',
      status.refused.map(
        (refused) => `${refused.kind} by ${escapeMarkdown(refused.by)}: ${escapeMarkdown(refused.why)}`,
      ),
    ),
    ...section(
      'Way',
      status.phases.map((record) => `${record.startedAt} ${record.phase}`),
    ),
  ].join('\n\n');
}

function presentJob(attempt: number, job: JobStatus): string {
  const id = job.jobId === null ? '' : ` \`${job.jobId}\``;
  return `attempt ${attempt}, seed ${job.seed}: **${job.state}**${id} ${escapeMarkdown(job.detail)}`;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`### ${title}\n\n${lines.map((line) => `- ${line}`).join('\n')}`];
}

function escapeMarkdown(text: string): string {
  return text.replaceAll(/[\\`*_[\]<>#|]/g, (character) => `\\${character}`).replaceAll(/\s+/g, ' ');
}
