import type { LiveResults } from '../../domain/evidence.ts';
import type { ExperimentStatus, JobStatus, PhaseRecord } from '../../domain/experiment.ts';
import type { GateAnswer } from '../../domain/decide-gate.ts';
import { commentMarker } from '../../domain/ids.ts';
import { outcomes } from '../../domain/phase.ts';
import type { Verdict } from '../../domain/verdict.ts';
import { renderTemplate } from '../../infra/templates/render-template.ts';
import { duration } from './duration.ts';
import type { Picture } from './interface.ts';
import { presentEvidence, presentLive } from './present-results.ts';
import { minute, presentStage } from './present-stages.ts';

/** GitHub takes 65,536; the rest is room for what it counts differently. */
export const commentLimit = 65_000;

interface Command {
  readonly says: string;
  /** What may be written in a comment instead; undefined where that cannot be said so. */
  readonly here?: string;
  readonly line: string;
}

interface Amount {
  readonly refused: number;
  readonly said: number;
  readonly reasons: number;
  readonly jobs: number;
  readonly stages: number;
  readonly links: number;
  /** Whether the table of the seeds is there. */
  readonly table: boolean;
}

/** How much is told: when the whole does not fit, the least needed goes first. The last fits, whatever is in it. */
const amounts: readonly Amount[] = [
  { refused: 10, said: 10, reasons: 40, jobs: 64, stages: 60, links: 20, table: true },
  { refused: 5, said: 5, reasons: 10, jobs: 32, stages: 15, links: 5, table: true },
  { refused: 2, said: 2, reasons: 3, jobs: 0, stages: 0, links: 2, table: true },
  { refused: 1, said: 1, reasons: 1, jobs: 0, stages: 0, links: 0, table: false },
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
    said: status.said.slice(-amount.said).map((one) => ({ ...one, at: minute(one.writtenAt) })),
    refused: status.refused.slice(-amount.refused).map((one) => ({ ...one, at: minute(one.at) })),
    gate: gate === null ? null : presentGate(gate, amount.reasons),
    warnings: (status.warnings ?? []).slice(0, 10),
    left: leftOut(status, amount),
    attempts: jobsOf(status).slice(-amount.jobs || Infinity),
    stages: status.phases.slice(-amount.stages || Infinity).map((stage) => presentStage(stage, status)),
    total: totalTime(status.phases),
    links: elsewhere(status).slice(0, amount.links),
  }).replaceAll(/\n{3,}/g, '\n\n');
}

const marks = { passed: '✅', failed: '❌', waiting: '⏳' } as const;

function presentGate(gate: GateAnswer, most: number): object {
  const lines = (gate.lines ?? []).map((line) => ({ ...line, mark: marks[line.state] }));
  const said = lines.length > 0 && gate.status === 'pass' ? [] : gate.reasons;
  return { status: gate.status, reasons: said.slice(0, most), lines: lines.slice(0, most) };
}

/** A word about what is not told here, so that nobody takes a part for the whole. */
function leftOut(status: ExperimentStatus, amount: Amount): string {
  const { gate, refused, phases, evidence } = status;
  const jobs = jobsOf(status).length;
  const gateLines = Math.max(gate?.reasons.length ?? 0, gate?.lines?.length ?? 0);
  const counts: readonly (readonly [number, number, string])[] = [
    [refused.length, amount.refused, 'refused decisions'],
    [gateLines, amount.reasons, 'lines of the gate'],
    [jobs, amount.jobs, 'jobs'],
    [phases.length, amount.stages, 'stages'],
    [elsewhere(status).length, amount.links, 'links'],
  ];
  const left = counts.flatMap(([all, shown, what]) =>
    all > shown ? [`${all - shown} of ${all} ${what}`] : [],
  );
  return [...left, ...(evidence !== null && !amount.table ? ['the table of the seeds'] : [])].join(', ');
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
  const stop = { says: 'End it now, its jobs too', here: 'stop', line: `${program} stop ${id}` };
  const rerun = { here: 'rerun', line: `${program} rerun ${id}` };
  const revise = {
    says: 'Send the coding agent back',
    here: 'revise …',
    line: `${program} revise ${id} "…"`,
  };
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
      { says: 'Try it again, as a new attempt', ...rerun },
      revise,
      { says: 'Close it without merging', here: 'reject', line: `${program} reject ${id}` },
      stop,
    ];
  }
  if (phase === 'deciding') {
    return [
      { says: 'Merge what is shown here', here: 'merge', line: `${program} merge ${id}${head}` },
      { says: 'Close it without merging', here: 'reject', line: `${program} reject ${id}${head}` },
      revise,
      { says: 'Train it again with other seeds', ...rerun },
      stop,
    ];
  }
  if (gate?.status !== 'block') return [stop];
  const line = `${program} approve-quality ${id} --reason "…"`;
  return [{ says: 'Let it pass on your word', here: 'approve-quality …', line }, stop];
}

function jobsOf({ attempts }: ExperimentStatus): object[] {
  return attempts.flatMap(({ number: attempt, jobs }) => jobs.map((job) => ({ ...job, attempt })));
}

function totalTime(phases: readonly PhaseRecord[]): string {
  const [first, last] = [phases[0], phases.at(-1)];
  if (first === undefined || last === undefined || last.endedAt === null) return '';
  return duration(Date.parse(last.endedAt) - Date.parse(first.startedAt));
}
