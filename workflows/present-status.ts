import type { ExperimentStatus, JobStatus } from '../domain/experiment.ts';
import { outcomes } from '../domain/phase.ts';

/** How a person says a word at a terminal, as everywhere in the project. */
const program = 'npm run -s hephaestus --';

/**
 * The experiment's state as Markdown, for the current details in the Temporal Web UI: first where it stands and what was
 * found, then what can be done, then how it came to that.
 */
export function presentStatus(status: ExperimentStatus): string {
  return [
    `## ${escapeMarkdown(status.title)}`,
    `**${status.phase}**${status.waitingFor === '' ? '' : `: waiting for ${escapeMarkdown(status.waitingFor)}`}`,
    ...(status.evidence === null ? [] : [`**${escapeMarkdown(status.evidence.verdict.sentence)}**`]),
    ...(status.failure === null
      ? []
      : [`Failed: \`${status.failure.type}\`: ${escapeMarkdown(status.failure.message)}`]),
    ...section('Mind', (status.warnings ?? []).map(escapeMarkdown)),
    ...section('Asked of you', questionsOf(status)),
    ...section('What you can do', commandsOf(status)),
    ...section(
      'Links',
      status.links.map((link) => `[${escapeMarkdown(link.label)}](${link.url})`),
    ),
    ...section(
      'Jobs',
      status.attempts.flatMap((attempt) => attempt.jobs.map((job) => presentJob(attempt.number, job))),
    ),
    ...section('Code', codeOf(status)),
    ...(status.gate === null
      ? []
      : section(`Quality gate: ${status.gate.status}`, status.gate.reasons.map(escapeMarkdown))),
    ...section(
      'Refused decisions',
      status.refused.map(
        (refused) => `${refused.kind} by ${escapeMarkdown(refused.by)}: ${escapeMarkdown(refused.why)}`,
      ),
    ),
    ...section(
      'Said in the pull request',
      status.said.map(
        ({ said, by, answer, why }) =>
          `${escapeMarkdown(said)} by ${escapeMarkdown(by)}: ${answer === 'refused' ? 'refused: ' : ''}${escapeMarkdown(why)}`,
      ),
    ),
    ...section(
      'The way so far (UTC)',
      status.phases.map((record) => `${clock(record.startedAt)} ${record.phase}`),
    ),
  ].join('\n\n');
}

/** From here on no word changes anything any more. */
const settled: readonly string[] = [...outcomes, 'merging', 'recording'];

function commandsOf({ id, phase, evidence, stalled }: ExperimentStatus): string[] {
  if (settled.includes(phase)) return [];
  const head = evidence === null ? '' : ` --head ${evidence.headSha.slice(0, 12)}`;
  return [
    ...(phase === 'deciding'
      ? [
          `merge what was shown: \`${program} merge ${id}${head}\``,
          `close it without merging: \`${program} reject ${id}${head}\``,
          `send the coding agent back: \`${program} revise ${id} "…"\``,
          `train it again with other seeds: \`${program} rerun ${id}\``,
        ]
      : []),
    ...(phase === 'reviewing'
      ? [`let the gate pass on your word: \`${program} approve-quality ${id} --reason "…"\``]
      : []),
    ...(stalled
      ? [
          `try it again, as a new attempt: \`${program} rerun ${id}\``,
          `send the coding agent back: \`${program} revise ${id} "…"\``,
          `close it: \`${program} reject ${id}\``,
        ]
      : []),
    `stop it, its jobs too: \`${program} stop ${id}\``,
  ];
}

/** Each question with both of its answers, for a terminal and as the signal that can be sent from here. */
function questionsOf({ id, attempts }: ExperimentStatus): string[] {
  const asked = (attempts.at(-1)?.jobs ?? []).filter(({ question }) => question !== null);
  return asked.flatMap(({ seed, question }) => [
    `seed ${seed}: **${escapeMarkdown(question ?? '')}**`,
    `it does: \`${program} settle ${id} --seed ${seed} --job job-…\`, or the signal \`settle\` with \`{"seed": ${seed}, "jobId": "job-…"}\``,
    `there is none: \`${program} settle ${id} --seed ${seed} --none\`, or the signal \`settle\` with \`{"seed": ${seed}, "jobId": null}\``,
  ]);
}

function codeOf({
  repository,
  branch,
  headSha,
  mergeSha,
  environment,
  note,
  cost,
}: ExperimentStatus): string[] {
  return [
    `${escapeMarkdown(repository)}, branch \`${branch}\`${headSha === null ? '' : ` at \`${headSha.slice(0, 12)}\``}`,
    ...(mergeSha === null ? [] : [`merged as \`${mergeSha.slice(0, 12)}\``]),
    ...(environment === null
      ? []
      : [`environment \`${environment.digest.slice(0, 12)}\`${environment.reused ? ', reused' : ''}`]),
    ...(note === null ? [] : [`note \`${note.path}\``]),
    `${hours(cost.gpuHours)} GPU hours, ${cost.tokens} model tokens`,
  ];
}

function presentJob(attempt: number, job: JobStatus): string {
  const id = job.jobId === null ? '' : ` \`${job.jobId}\``;
  const detail = job.detail === '' ? '' : `, ${escapeMarkdown(job.detail)}`;
  const spent = job.gpuHours === 0 ? '' : `, ${hours(job.gpuHours)} GPU hours`;
  return `attempt ${attempt}, seed ${job.seed}: **${job.state}**${id}${detail}${spent}`;
}

function hours(value: number): string {
  return Number(value < 0.1 ? value.toPrecision(2) : value.toFixed(2)).toString();
}

/** `2026-01-31 09:05:00` from an ISO 8601 time. */
function clock(time: string): string {
  return time.slice(0, 19).replace('T', ' ');
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`### ${title}\n\n${lines.map((line) => `- ${line}`).join('\n')}`];
}

function escapeMarkdown(text: string): string {
  return text.replaceAll(/[\\`*_[\]<>#|]/g, (character) => `\\${character}`).replaceAll(/\s+/g, ' ');
}
