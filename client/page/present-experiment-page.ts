import { personWaits, waitsFor } from '../../domain/waits-for.ts';
import type { ExperimentStatus, JobStatus } from '../../domain/experiment.ts';
import { describeTrouble } from '../cli/present-experiment.ts';
import { duration, moment, round } from '../cli/format.ts';
import { nextStepRows } from '../cli/next-steps.ts';
import type { PendingTrouble, SeenExperiment } from '../seen-experiment.ts';
import { ago, costOf, toneOf, whoseWords, type Tone } from './present-experiment-card.ts';

interface Row {
  readonly label: string;
  readonly words: string;
  readonly url: string;
}

/** What the page of one experiment shows. */
export interface ExperimentView {
  readonly id: string;
  readonly title: string;
  readonly phase: string;
  readonly tone: Tone;
  readonly whose: string;
  readonly waiting: string;
  readonly since: string;
  readonly asks: readonly string[];
  readonly warning: string;
  readonly failure: { readonly type: string; readonly message: string } | null;
  readonly troubles: readonly string[];
  readonly steps: readonly { readonly command: string; readonly purpose: string }[];
  readonly verdict: string;
  readonly curves: { readonly note: string; readonly alt: string } | null;
  readonly facts: readonly Row[];
  readonly jobs: readonly JobView[];
  readonly way: readonly { readonly phase: string; readonly from: string; readonly took: string }[];
  readonly gate: { readonly status: string; readonly reasons: readonly string[] } | null;
  readonly refused: readonly string[];
  readonly links: readonly Row[];
}

interface JobView {
  readonly attempt: number;
  readonly seed: number;
  readonly state: string;
  readonly detail: string;
  readonly jobId: string;
  readonly runId: string;
  readonly runUrl: string;
  readonly gpuHours: string;
}

/** How a person calls the program, as everywhere in the project. */
const program = 'hephaestus';

/** Pure; `now` in ms since the epoch. */
export function presentExperimentPage(
  seen: SeenExperiment,
  troubles: readonly PendingTrouble[],
  now: number,
): ExperimentView {
  const { status } = seen;
  const running = seen.execution === 'running';
  const asks = status === null || !running ? [] : personWaits(status).map(({ sentence }) => sentence);
  const since = (running ? status?.since : seen.endedAt) ?? seen.startedAt;
  const took = ago(now - new Date(since).getTime());
  return {
    id: seen.id,
    title: status?.title ?? seen.id,
    phase: seen.phase,
    tone: toneOf(seen.phase, running, asks.length > 0),
    whose: status === null || !running ? '' : whoseWords[waitsFor(status)],
    waiting: running && asks.length === 0 && status !== null ? status.waitingFor : '',
    since: running ? `for ${took}, since ${minute(since)}` : `ended ${minute(since)}, ${took} ago`,
    asks,
    warning: seen.unanswered === null ? '' : `Not the whole story: ${seen.unanswered}.`,
    failure: status?.failure ?? null,
    troubles: troubles.map((trouble) => describeTrouble(trouble, now)),
    steps: nextStepRows(seen, program).map(([command = '', purpose = '']) => ({ command, purpose })),
    verdict: status?.evidence?.verdict.sentence ?? '',
    curves: curvesOf(status),
    facts: status === null ? [] : factsOf(status),
    jobs: status === null ? [] : status.attempts.toReversed().flatMap(jobsOf),
    way: status === null ? [] : wayOf(status, running ? now : new Date(since).getTime()),
    gate: status?.gate ?? null,
    refused: (status?.refused ?? []).map(
      ({ kind, by, at, why }) => `${moment(at)}: ${kind} by ${by}: ${why}`,
    ),
    links: linksOf(seen),
  };
}

function curvesOf(status: ExperimentStatus | null): ExperimentView['curves'] {
  if (status === null) return null;
  const { evidence, live } = status;
  if (evidence !== null) {
    return { note: '', alt: `Curves of ${evidence.metric.name}: ${evidence.verdict.sentence}` };
  }
  if (live === null) return null;
  const note = `What W&B had at ${minute(live.asOf)}: ${live.rows} rows. Nothing of it is evidence.`;
  return { note, alt: 'Curves of the runs that are under way' };
}

function factsOf(status: ExperimentStatus): Row[] {
  const { repository, branch, headSha, environment, mergeSha, note, evidence, decision } = status;
  return [
    row('Cost', costOf(status, null)),
    row(
      'Repository',
      `${repository}, branch ${branch}${headSha === null ? '' : ` at ${headSha.slice(0, 12)}`}`,
    ),
    ...(evidence === null
      ? []
      : [
          row('Metric', `${evidence.metric.name} (${evidence.metric.goal})`),
          row('Baseline', evidence.baseline === null ? 'none' : evidence.baseline.name),
          row('Time', `${round(evidence.wallHours)} h by the clock`),
        ]),
    ...(environment === null
      ? []
      : [row('Environment', `${environment.digest.slice(0, 12)}${environment.reused ? ', reused' : ''}`)]),
    ...(decision === null
      ? []
      : [
          row(
            'Decision',
            `${decision.kind} by ${decision.by}, ${minute(decision.at)}${decision.reason === undefined ? '' : `: ${decision.reason}`}`,
          ),
        ]),
    ...(mergeSha === null ? [] : [row('Merged as', mergeSha.slice(0, 12))]),
    ...(note === null ? [] : [row('Note', note.path)]),
  ];
}

function jobsOf({ number, jobs }: ExperimentStatus['attempts'][number]): JobView[] {
  return jobs.map((job) => ({
    attempt: number,
    seed: job.seed,
    state: job.state,
    detail: [job.detail, ...extrasOf(job)].filter((part) => part !== '').join('; '),
    jobId: job.jobId ?? '',
    runId: job.runId,
    runUrl: job.runUrl ?? '',
    gpuHours: round(job.gpuHours),
  }));
}

function extrasOf({ duplicates, peakMemoryBytes }: JobStatus): string[] {
  return [
    ...(peakMemoryBytes === null ? [] : [`peak memory ${round(peakMemoryBytes / 2 ** 30)} GiB`]),
    ...(duplicates.length === 0 ? [] : [`turned away as duplicates: ${duplicates.join(', ')}`]),
  ];
}

function wayOf({ phases }: ExperimentStatus, until: number): ExperimentView['way'] {
  return phases.map(({ phase, startedAt, endedAt }) => {
    const end = endedAt === null ? until : new Date(endedAt).getTime();
    const ms = end - new Date(startedAt).getTime();
    return { phase, from: minute(startedAt), took: endedAt === null ? ago(ms) : duration(ms) };
  });
}

function linksOf(seen: SeenExperiment): Row[] {
  const own = seen.status?.links ?? [];
  const pullRequest = seen.status?.pullRequest;
  const known = new Set(own.map(({ url }) => url));
  return [
    ...(pullRequest === undefined || pullRequest === null || known.has(pullRequest.url)
      ? []
      : [row('', `pull request #${pullRequest.number}`, pullRequest.url)]),
    ...own.map(({ label, url }) => row('', label, url)),
    row('', 'every step, in the Temporal Web UI', seen.url),
  ];
}

function row(label: string, words: string, url: string = ''): Row {
  return { label, words, url };
}

function minute(iso: string): string {
  return `${iso.slice(0, 16).replace('T', ' ')} UTC`;
}
