import type { ExperimentStatus, JobStatus } from '../../domain/experiment.ts';
import type { SeenExperiment } from '../seen-experiment.ts';
import { clean } from './format.ts';

/** What is new since the last look, a line for each thing; everything is new to the first look. */
export function describeChanges(before: SeenExperiment | null, now: SeenExperiment): string[] {
  const old = before?.status ?? null;
  const status = now.status;
  const lines: string[] = [];
  const waitingFor = status?.waitingFor ?? '';
  if (before?.phase !== now.phase || (old?.waitingFor ?? '') !== waitingFor) {
    lines.push(`${now.phase}${waitingFor === '' ? '' : `: waiting for ${clean(waitingFor)}`}`);
  }
  if (now.unanswered !== null && before?.unanswered !== now.unanswered) lines.push(clean(now.unanswered));
  if (status === null) return lines;
  return [
    ...lines,
    ...newLinks(old, status),
    ...gateLine(old, status),
    ...jobLines(old, status),
    ...liveLine(old, status),
    ...words(old, status),
  ];
}

function newLinks(old: ExperimentStatus | null, now: ExperimentStatus): string[] {
  const known = new Set((old?.links ?? []).map(({ url }) => url));
  return now.links
    .filter(({ url }) => !known.has(url))
    .map(({ label, url }) => `${clean(label)}: ${clean(url)}`);
}

function gateLine(old: ExperimentStatus | null, { gate }: ExperimentStatus): string[] {
  if (gate === null || JSON.stringify(old?.gate) === JSON.stringify(gate)) return [];
  // What passed is told by `show`; here it would bury the one thing that changed.
  const reasons = gate.status === 'pass' ? '' : clean(gate.reasons.join('; '));
  return [`quality gate: ${gate.status}${reasons === '' ? '' : ` (${reasons})`}`];
}

function jobLines(old: ExperimentStatus | null, now: ExperimentStatus): string[] {
  const before = new Map(jobsOf(old));
  return jobsOf(now).flatMap(([key, job]) => {
    const known = before.get(key);
    if (known?.state === job.state && known.jobId === job.jobId) return [];
    const id = job.jobId === null ? '' : ` ${job.jobId}`;
    return [`${key}: ${job.state}${id}${job.detail === '' ? '' : ` (${clean(job.detail)})`}`];
  });
}

function liveLine(old: ExperimentStatus | null, { live, evidence }: ExperimentStatus): string[] {
  if (live === null || evidence !== null || live.asOf === old?.live?.asOf) return [];
  return [`live: ${live.rows} rows so far at W&B, curves in the pull request`];
}

function jobsOf(status: ExperimentStatus | null): [string, JobStatus][] {
  return (status?.attempts ?? []).flatMap(({ number, jobs }) =>
    jobs.map((job): [string, JobStatus] => [`attempt ${number}, seed ${job.seed}`, job]),
  );
}

/** Results, decisions and failures, each told once. */
function words(old: ExperimentStatus | null, now: ExperimentStatus): string[] {
  const lines: string[] = [];
  const sentence = now.evidence?.verdict.sentence;
  if (sentence !== undefined && sentence !== old?.evidence?.verdict.sentence)
    lines.push(`result: ${clean(sentence)}`);
  if (now.decision !== null && now.decision.at !== old?.decision?.at) {
    lines.push(`decision: ${now.decision.kind} by ${clean(now.decision.by)}`);
  }
  const known = new Set((old?.refused ?? []).map(({ at, kind }) => `${at} ${kind}`));
  for (const { at, kind, by, why } of now.refused) {
    if (!known.has(`${at} ${kind}`)) lines.push(`refused: ${kind} by ${clean(by)}: ${clean(why)}`);
  }
  if (now.note !== null && now.note.path !== old?.note?.path) lines.push(`note: ${clean(now.note.path)}`);
  if (now.failure !== null && now.failure.message !== old?.failure?.message) {
    lines.push(`failure: ${now.failure.type}: ${clean(now.failure.message)}`);
  }
  return lines;
}
