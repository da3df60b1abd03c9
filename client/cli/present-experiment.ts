import type { ExperimentStatus, JobStatus } from '../../domain/experiment.ts';
import type { PendingTrouble, SeenExperiment } from '../seen-experiment.ts';
import { clean, duration, moment, round, table } from './format.ts';
import { nextSteps } from './next-steps.ts';
import type { Colours } from './output.ts';

interface Presentation {
  readonly colours: Colours;
  readonly program: string;
  /** ms since the epoch. */
  readonly now: number;
}

/** Everything that `show` tells, as lines. */
export function presentExperiment(
  seen: SeenExperiment,
  troubles: readonly PendingTrouble[],
  presentation: Presentation,
): string[] {
  const { colours, program, now } = presentation;
  const { status } = seen;
  return [
    `${colours.bold(seen.id)}${status === null ? '' : `  ${clean(status.title)}`}`,
    phaseLine(seen, presentation),
    ...(seen.unanswered === null ? [] : [colours.yellow(`Not the whole story: ${clean(seen.unanswered)}`)]),
    ...section(
      colours,
      'Trouble',
      troubles.map((trouble) => describeTrouble(trouble, now)),
    ),
    ...(status === null ? [] : statusSections(status, colours)),
    ...section(colours, 'Links', table(linkRows(seen))),
    ...section(colours, 'Next', nextSteps(seen, program)),
  ];
}

/** `is trying again: …`, the reason why nothing seems to happen. */
export function describeTrouble(trouble: PendingTrouble, now: number): string {
  const { activity, type, message, attempt, nextTryAt } = trouble;
  const when =
    nextTryAt === null ? 'trying now' : `next try in ${duration(new Date(nextTryAt).getTime() - now)}`;
  return `is trying again: ${activity} failed${type === '' ? '' : ` (${type})`}: ${clean(message)} [try ${attempt}, ${when}]`;
}

function phaseLine(seen: SeenExperiment, { colours, now }: Presentation): string {
  const { status } = seen;
  const phase = colourOf(seen, colours)(seen.phase);
  if (status === null || seen.execution !== 'running') {
    const ended = seen.endedAt === null ? '' : `, ended ${moment(seen.endedAt)}`;
    return `${phase}  started ${moment(seen.startedAt)}${ended}`;
  }
  const waiting = status.waitingFor === '' ? '' : `waiting for ${clean(status.waitingFor)}, `;
  return `${phase}  ${waiting}for ${duration(now - new Date(status.since).getTime())} (since ${moment(status.since)})`;
}

function colourOf(seen: SeenExperiment, colours: Colours): (text: string) => string {
  if (seen.phase === 'merged') return colours.green;
  if (seen.phase === 'deciding') return colours.cyan;
  return seen.execution === 'running' || seen.execution === 'completed' ? colours.bold : colours.red;
}

function statusSections(status: ExperimentStatus, colours: Colours): string[] {
  const { failure, evidence, gate, decision, cost } = status;
  const tokens = cost.tokens > 0 ? `, ${cost.tokens} model tokens` : '';
  const head = status.headSha === null ? '' : ` at ${status.headSha.slice(0, 12)}`;
  return [
    ...section(
      colours,
      'Failure',
      failure === null
        ? []
        : [
            `${failure.type}: ${clean(failure.message)}`,
            `What to do: docs/failures.md#${failure.type.toLowerCase()}`,
          ],
    ),
    ...section(
      colours,
      'So far',
      status.live === null || evidence !== null
        ? []
        : [`${status.live.rows} rows at W&B, ${moment(status.live.asOf)}; the comment shows the curves`],
    ),
    ...section(colours, 'Result', evidence === null ? [] : [clean(evidence.verdict.sentence)]),
    ...section(colours, 'Code', [
      `${clean(status.repository)}, branch ${status.branch}${head}`,
      ...(status.environment === null
        ? []
        : [
            `environment ${status.environment.digest.slice(0, 12)}${status.environment.reused ? ', reused' : ''}`,
          ]),
      ...(status.mergeSha === null ? [] : [`merged as ${status.mergeSha.slice(0, 12)}`]),
      ...(status.note === null ? [] : [`note ${clean(status.note.path)}`]),
    ]),
    ...section(colours, 'Changes', changeLines(status)),
    ...section(
      colours,
      'Quality gate',
      gate === null ? [] : [gate.status, ...gate.reasons.map((why) => `- ${clean(why)}`)],
    ),
    ...section(colours, 'Asked of you', questionsOf(status)),
    ...section(colours, 'Jobs', jobRows(status)),
    ...section(
      colours,
      'Decision',
      decision === null
        ? []
        : [
            `${decision.kind} by ${clean(decision.by)}, ${moment(decision.at)}${decision.reason === undefined ? '' : `: ${clean(decision.reason)}`}`,
          ],
    ),
    ...section(
      colours,
      'Refused decisions',
      status.refused.map(
        (refused) => `${moment(refused.at)}  ${refused.kind} by ${clean(refused.by)}: ${clean(refused.why)}`,
      ),
    ),
    ...section(colours, 'Cost', [`${round(cost.gpuHours)} GPU hours${tokens}`, ...table(modelRows(status))]),
  ];
}

function modelRows({ cost }: ExperimentStatus): string[][] {
  return (cost.models ?? []).map(({ agent, model, input, output }) => [
    agent,
    clean(model),
    `${input} tokens in`,
    `${output} out`,
  ]);
}

/** Every round of the coding agent, with what its tries came to. */
function changeLines({ changes = [] }: ExperimentStatus): string[] {
  return changes.flatMap(({ round: number, kind, headSha, summary, size, tries }) => [
    `${number} ${kind} ${headSha.slice(0, 12)}${size === '' ? '' : ` (${clean(size)})`}: ${clean(summary)}`,
    ...tries
      .filter(({ outcome }) => outcome !== 'accepted')
      .map(({ outcome, detail }) => `  sent back (${outcome}): ${clean(detail).slice(0, 200)}`),
  ]);
}

function questionsOf({ attempts }: ExperimentStatus): string[] {
  const jobs = attempts.at(-1)?.jobs ?? [];
  return jobs.flatMap(({ seed, question }) =>
    question === null ? [] : [`seed ${seed}: ${clean(question)}`],
  );
}

function jobRows(status: ExperimentStatus): string[] {
  const rows = status.attempts.flatMap((attempt) =>
    attempt.jobs.map((job) => [
      String(attempt.number),
      String(job.seed),
      job.state,
      job.jobId ?? '-',
      job.runId,
      round(job.gpuHours),
      clean([job.detail, ...extrasOf(job)].filter((part) => part !== '').join('; ')),
    ]),
  );
  return rows.length === 0 ? [] : table([['attempt', 'seed', 'state', 'job', 'run', 'GPU h', ''], ...rows]);
}

/** What else is known of a job that somebody may want to act on. */
function extrasOf({ duplicates, peakMemoryBytes }: JobStatus): string[] {
  return [
    ...(peakMemoryBytes === null ? [] : [`peak memory ${round(peakMemoryBytes / 2 ** 30)} GiB`]),
    ...(duplicates.length === 0 ? [] : [`turned away as duplicates: ${duplicates.join(', ')}`]),
  ];
}

function linkRows(seen: SeenExperiment): string[][] {
  const own = (seen.status?.links ?? []).map(({ label, url }) => [clean(label), clean(url)]);
  const pullRequest = seen.status?.pullRequest?.url;
  const known = new Set(own.map(([, url]) => url));
  return [
    ...own,
    ...(pullRequest === undefined || known.has(pullRequest) ? [] : [['Pull request', pullRequest]]),
    ['Temporal', seen.url],
  ];
}

function section(colours: Colours, title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', colours.bold(title), ...lines.map((line) => `  ${line}`)];
}
