import type { Evidence } from '../../domain/evidence.ts';
import type { ExperimentStatus, PhaseRecord } from '../../domain/experiment.ts';
import { commentMarker } from '../../domain/ids.ts';
import { outcomes } from '../../domain/phase.ts';
import type { Verdict } from '../../domain/verdict.ts';
import { number, signed } from '../../infra/templates/markdown-filters.ts';
import { renderTemplate } from '../../infra/templates/render-template.ts';
import type { Picture } from './interface.ts';

/** GitHub takes 65,536; the rest is room for what it counts differently. */
export const commentLimit = 65_000;

interface Command {
  readonly says: string;
  readonly line: string;
  readonly comment: string | null;
}

/** How much is told; when the whole does not fit, the least needed goes first. */
const amounts = [
  { refused: 10, reasons: 40, jobs: 64, stages: 60 },
  { refused: 5, reasons: 10, jobs: 32, stages: 15 },
  { refused: 2, reasons: 3, jobs: 0, stages: 0 },
] as const;
type Amount = (typeof amounts)[number];

/** The sticky comment of an experiment, for every phase; always shorter than `commentLimit` characters. */
export function commentBody(status: ExperimentStatus, pictures: readonly Picture[]): string {
  for (const amount of amounts) {
    const body = render(status, pictures, amount);
    if (body.length <= commentLimit) return body;
  }
  const bare = { ...status, evidence: null, links: [], refused: [], phases: [], attempts: [], gate: null };
  return render(bare, pictures.slice(0, 1), amounts[2]);
}

function render(status: ExperimentStatus, pictures: readonly Picture[], amount: Amount): string {
  const { evidence, gate } = status;
  return renderTemplate('comment.md.njk', {
    marker: commentMarker(status.id),
    status,
    pictures: evidence === null ? [] : pictures,
    headline: headlineOf(status),
    evidence: evidence === null ? null : presentEvidence(evidence),
    commands: commandsOf(status),
    refused: status.refused.slice(-amount.refused),
    gate: gate === null ? null : { ...gate, reasons: gate.reasons.slice(0, amount.reasons) },
    attempts: jobsOf(status).slice(-amount.jobs || Infinity),
    stages: status.phases.slice(-amount.stages || Infinity).map(presentStage),
    total: totalTime(status.phases),
    links: status.links.slice(0, 20),
  }).replaceAll(/\n{3,}/g, '\n\n');
}

const verdictWords: Readonly<Record<Verdict['status'], string>> = {
  better: 'Better',
  worse: 'Worse',
  'inside-noise': 'Inside noise',
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

function presentEvidence({ jobs, metric, baseline, verdict, wallHours }: Evidence): object {
  const values = jobs.flatMap(({ value }) => value ?? []);
  return {
    metric: metric.name,
    rows: jobs.map((job) => ({ ...job, delta: difference(job.value, verdict.baselineMean) })),
    own: spread(values),
    delta: difference(verdict.mean, verdict.baselineMean),
    baseline: baseline === null ? null : { name: baseline.name, ...spread(baseline.values) },
    aim: `The aim is to ${metric.goal} ${metric.name}; the longest job took ${duration(wallHours * 3_600_000)}.`,
    left: baseline === null ? 'No baseline was named, so the numbers stand alone.' : '',
  };
}

function difference(value: number | null, mean: number | null): string {
  if (value === null || mean === null) return '–';
  const delta = value - mean;
  return mean === 0 ? signed(delta) : `${signed(delta)} (${signed((delta / Math.abs(mean)) * 100)} %)`;
}

/** Mean and sample standard deviation, as the verdict takes them. */
function spread(values: readonly number[]): { readonly count: number; readonly text: string } {
  const finite = values.filter(Number.isFinite);
  const count = finite.length;
  if (count === 0) return { count, text: '–' };
  const mean = finite.reduce((sum, value) => sum + value, 0) / count;
  if (count === 1) return { count, text: number(mean) };
  const std = Math.sqrt(finite.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1));
  return { count, text: `${number(mean)} ± ${number(std)}` };
}

/** What may be said now, in the words of the command line and of a comment. */
function commandsOf({ phase, id, gate }: ExperimentStatus): Command[] {
  const say = (says: string, verb: string, rest: string = ''): Command => ({
    says,
    line: `${verb} ${id}${rest}`,
    comment: verb === 'approve-quality' ? null : `/hephaestus ${verb}${rest.replaceAll('"', '')}`,
  });
  if (isOutcome.has(phase) || phase === 'merging' || phase === 'recording') return [];
  const stop = say('End it now', 'stop');
  if (phase === 'deciding') {
    return [
      say('Merge this change', 'merge'),
      say('Close it without merging', 'reject'),
      say('Send it back to the coding agent', 'revise', ' "<what to change>"'),
      say('Train again, with other seeds if you like', 'rerun'),
      stop,
    ];
  }
  if (gate?.status !== 'block') return [stop];
  return [say('Let it pass on your word', 'approve-quality', ' --reason "<why>"'), stop];
}

function jobsOf({ attempts }: ExperimentStatus): object[] {
  return attempts.flatMap(({ number: attempt, jobs }) => jobs.map((job) => ({ ...job, attempt })));
}

function presentStage({ phase, startedAt, endedAt }: PhaseRecord): object {
  const start = `${startedAt.slice(0, 16).replace('T', ' ')} UTC`;
  if (endedAt === null) return { phase, time: `since ${start}` };
  return { phase, time: `${duration(Date.parse(endedAt) - Date.parse(startedAt))}, from ${start}` };
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
