import type { Evidence, LiveResults } from '../../domain/evidence.ts';
import type { ExperimentStatus } from '../../domain/experiment.ts';
import type { Verdict } from '../../domain/verdict.ts';
import { number, signed } from '../../infra/templates/markdown-filters.ts';
import { curveLines } from './curve-lines.ts';
import { duration } from './duration.ts';

/** The evidence as the comment's tables and sentences need it. */
export function presentEvidence(evidence: Evidence, status: ExperimentStatus): object {
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

/** What W&B has so far, as the comment's table needs it. */
export function presentLive(live: LiveResults): object {
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
