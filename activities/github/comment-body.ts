import type { Evidence, LiveResults } from '../../domain/evidence.ts';
import type { ExperimentStatus, JobStatus, PhaseRecord } from '../../domain/experiment.ts';
import { commentMarker } from '../../domain/ids.ts';
import { outcomes } from '../../domain/phase.ts';
import type { Verdict } from '../../domain/verdict.ts';
import { number, signed } from '../../infra/templates/markdown-filters.ts';
import { renderTemplate } from '../../infra/templates/render-template.ts';
import { curveLines } from './curve-lines.ts';
import type { Picture } from './interface.ts';

/** GitHub takes 65,536; the rest is room for what it counts differently. */
export const commentLimit = 65_000;

interface Command {
  readonly says: string;
  readonly line: string;
}

interface Amount {
  readonly refused: number;
  readonly reasons: number;
  readonly jobs: number;
  readonly stages: number;
  readonly links: number;
  /** Whether the table of the seeds is there. */
  readonly table: boolean;
}

/** How much is told: when the whole does not fit, the least needed goes first. The last fits, whatever is in it. */
const amounts: readonly Amount[] = [
  { refused: 10, reasons: 40, jobs: 64, stages: 60, links: 20, table: true },
  { refused: 5, reasons: 10, jobs: 32, stages: 15, links: 5, table: true },
  { refused: 2, reasons: 3, jobs: 0, stages: 0, links: 2, table: true },
  { refused: 1, reasons: 1, jobs: 0, stages: 0, links: 0, table: false },
];

/** The sticky comment of an experiment, for every phase; always shorter than `commentLimit` characters. */
export function commentBody(
  status: ExperimentStatus,
  pictures: readonly Picture[],
  live: LiveResults | null = null,
): string {
  let body = '';
  for (const amount of amounts) {
    body = render(status, { pictures: pictures.slice(0, 4), live }, amount);
    if (body.length <= commentLimit) break;
  }
  return body;
}

interface Shown {
  readonly pictures: readonly Picture[];
  readonly live: LiveResults | null;
}

function render(status: ExperimentStatus, { pictures, live }: Shown, amount: Amount): string {
  const { evidence, gate } = status;
  return renderTemplate('comment.md.njk', {
    marker: commentMarker(status.id),
    status,
    pictures: evidence === null && !isShown(live, status) ? [] : pictures,
    pictureWidth,
    lines: evidence === null || !amount.table ? [] : pictures.flatMap(({ lines = [] }) => lines),
    live: isShown(live, status) && amount.table ? presentLive(live) : null,
    headline: headlineOf(status),
    evidence: evidence === null || !amount.table ? null : presentEvidence(evidence, status),
    heading: headingOf(status),
    questions: questionsOf(status),
    commands: commandsOf(status),
    refused: status.refused.slice(-amount.refused).map((one) => ({ ...one, at: minute(one.at) })),
    gate: gate === null ? null : { ...gate, reasons: gate.reasons.slice(0, amount.reasons) },
    attempts: jobsOf(status).slice(-amount.jobs || Infinity),
    stages: status.phases.slice(-amount.stages || Infinity).map(presentStage),
    total: totalTime(status.phases),
    links: elsewhere(status).slice(0, amount.links),
  }).replaceAll(/\n{3,}/g, '\n\n');
}

const verdictWords: Readonly<Record<Verdict['status'], string>> = {
  better: 'Better',
  worse: 'Worse',
  'inside-noise': 'Inside noise',
  'cannot-tell': 'Cannot tell',
  'no-baseline': 'No baseline',
  unmeasured: 'Not measured',
};

const isOutcome = new Set<string>(outcomes);

function headlineOf({ phase, evidence }: ExperimentStatus): string {
  const state = `${phase.charAt(0).toUpperCase()}${phase.slice(1)}`;
  if (evidence === null) return state;
  const verdict = verdictWords[evidence.verdict.status];
  return isOutcome.has(phase) ? `${verdict}, ${phase}` : verdict;
}

/** Nobody needs a link to the page that they are on. */
function elsewhere({ links, pullRequest }: ExperimentStatus): ExperimentStatus['links'] {
  return links.filter(({ url }) => pullRequest === null || url.split('#', 1)[0] !== pullRequest.url);
}

/** CSS pixels, as the pictures are drawn for. */
const pictureWidth = 680;

/** Only before there is evidence, and only while something may still come. */
function isShown(live: LiveResults | null, { evidence, phase }: ExperimentStatus): live is LiveResults {
  return live !== null && evidence === null && !isOutcome.has(phase);
}

function presentLive(live: LiveResults): object {
  const rows = live.runs.reduce((sum, run) => sum + run.rows, 0);
  const lines = curveLines({ runs: live.runs, baseline: null });
  return {
    metric: live.metric.name,
    words: `live, ${rows} ${rows === 1 ? 'row' : 'rows'} so far, as of ${live.asOf.slice(11, 16)} UTC`,
    runs: live.runs.map((run, index) => ({ ...run, line: lines[index]?.line ?? '' })),
    baseline: live.baseline === null ? null : describeBaseline(live.baseline),
  };
}

function describeBaseline({ name, runs }: NonNullable<LiveResults['baseline']>): object {
  return { name, ...spread(runs.flatMap(({ value }) => value ?? [])) };
}

/** Of the evidence where it says so, else as the job itself recorded it. */
function peakMemoryOf(job: Evidence['jobs'][number], { attempts }: ExperimentStatus): number | null {
  if (job.peakMemoryBytes !== undefined) return job.peakMemoryBytes;
  const jobs = attempts.flatMap((attempt) => attempt.jobs);
  return jobs.find(({ jobId }) => jobId === job.jobId)?.peakMemoryBytes ?? null;
}

function presentEvidence(evidence: Evidence, status: ExperimentStatus): object {
  const { jobs, metric, baseline, verdict, wallHours } = evidence;
  const values = jobs.flatMap(({ value }) => value ?? []);
  return {
    metric: metric.name,
    rows: jobs.map((job) => ({
      ...job,
      delta: difference(job.value, verdict.baselineMean),
      wall: job.wallHours === undefined ? '–' : duration(job.wallHours * 3_600_000),
      peakMemory: peakMemoryOf(job, status),
    })),
    interval: intervalOf(verdict),
    own: spread(values),
    delta: difference(verdict.mean, verdict.baselineMean),
    baseline: baseline === null ? null : { name: baseline.name, ...spread(baseline.values) },
    aim: `The aim is to ${metric.goal} ${metric.name}; the longest job took ${duration(wallHours * 3_600_000)}.`,
    left: baseline === null ? 'No baseline was named, so the numbers stand alone.' : '',
  };
}

/** Both intervals of the difference, as one sentence. */
function intervalOf({ delta, margin, bootstrap }: Verdict): string {
  if (delta === null || margin === null) return '';
  const welch = `Of the difference, 95 %: ${signed(delta - margin)} to ${signed(delta + margin)} (Welch, decides)`;
  if (bootstrap === null || bootstrap === undefined) return `${welch}.`;
  return `${welch}, ${signed(bootstrap.low)} to ${signed(bootstrap.high)} (bootstrap).`;
}

function difference(value: number | null, mean: number | null): string {
  if (value === null || mean === null) return '–';
  const delta = value - mean;
  if (mean === 0) return signed(delta);
  const percent = (delta / Math.abs(mean)) * 100;
  // Zeros at the end stay: the rows of a column are compared digit by digit.
  const plain = Math.abs(delta) < 1000 && Math.abs(delta) >= 1e-4;
  const change = plain ? `${delta > 0 ? '+' : ''}${delta.toPrecision(4)}` : signed(delta);
  return `${change} (${percent > 0 ? '+' : ''}${percent.toFixed(1)} %)`;
}

/** Mean and sample standard deviation, as the verdict takes them. */
function spread(values: readonly number[]): { readonly count: number; readonly text: string } {
  const finite = values.filter(Number.isFinite);
  const count = finite.length;
  if (count === 0) return { count, text: '–' };
  const mean = finite.reduce((sum, value) => sum + value, 0) / count;
  if (count === 1) return { count, text: number(mean) };
  const std = Math.sqrt(finite.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1));
  return { count, text: withNoise(mean, std) };
}

/** Two digits of the noise, and the mean to the same place: more would be digits of chance. */
function withNoise(mean: number, std: number): string {
  const places = std === 0 ? -1 : 1 - Math.floor(Math.log10(std));
  if (places < 0 || places > 12) return `${number(mean)} ± ${number(std)}`;
  return `${mean.toFixed(places)} ± ${std.toFixed(places)}`;
}

function headingOf(status: ExperimentStatus): string {
  if (status.phase === 'deciding' || status.stalled) return 'Your decision';
  return questionsOf(status).length > 0 ? 'Your answer' : 'What you can say';
}

/** What is asked of people about submissions whose answer was lost. */
function questionsOf({ attempts }: ExperimentStatus): readonly JobStatus[] {
  return (attempts.at(-1)?.jobs ?? []).filter(({ question }) => question !== null);
}

/** What may be said now, each word bound to the head that this comment shows. */
function commandsOf(status: ExperimentStatus): Command[] {
  const { phase, id, gate, evidence } = status;
  if (isOutcome.has(phase) || phase === 'merging' || phase === 'recording') return [];
  const program = 'npm run -s hephaestus --';
  const head = evidence === null ? '' : ` --head ${evidence.headSha.slice(0, 12)}`;
  const stop = { says: 'End it now, its jobs too', line: `${program} stop ${id}` };
  const asked = questionsOf(status);
  if (asked.length > 0) {
    return [
      ...asked.flatMap(({ seed }) => [
        { says: `Seed ${seed}: it does`, line: `${program} settle ${id} --seed ${seed} --job job-…` },
        { says: `Seed ${seed}: there is none`, line: `${program} settle ${id} --seed ${seed} --none` },
      ]),
      stop,
    ];
  }
  if (status.stalled) {
    return [
      { says: 'Try it again, as a new attempt', line: `${program} rerun ${id}` },
      { says: 'Send the coding agent back', line: `${program} revise ${id} "…"` },
      { says: 'Close it without merging', line: `${program} reject ${id}` },
      stop,
    ];
  }
  if (phase === 'deciding') {
    return [
      { says: 'Merge what is shown here', line: `${program} merge ${id}${head}` },
      { says: 'Close it without merging', line: `${program} reject ${id}${head}` },
      stop,
    ];
  }
  if (gate?.status !== 'block') return [stop];
  const override = `signal quality { "by": "…", "verdict": "pass", "reason": "…" }`;
  return [{ says: 'Let it pass on your word, in the Temporal Web UI', line: override }, stop];
}

function jobsOf({ attempts }: ExperimentStatus): object[] {
  return attempts.flatMap(({ number: attempt, jobs }) => jobs.map((job) => ({ ...job, attempt })));
}

function presentStage({ phase, startedAt, endedAt }: PhaseRecord): object {
  if (endedAt === null) return { phase, time: `since ${minute(startedAt)}` };
  return {
    phase,
    time: `${duration(Date.parse(endedAt) - Date.parse(startedAt))}, from ${minute(startedAt)}`,
  };
}

/** An ISO 8601 time as people read it. */
function minute(time: string): string {
  return `${time.slice(0, 16).replace('T', ' ')} UTC`;
}

function totalTime(phases: readonly PhaseRecord[]): string {
  const [first, last] = [phases[0], phases.at(-1)];
  if (first === undefined || last === undefined || last.endedAt === null) return '';
  return duration(Date.parse(last.endedAt) - Date.parse(first.startedAt));
}

function duration(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return '–';
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
