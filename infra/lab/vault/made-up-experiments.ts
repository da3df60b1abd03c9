import { createHash } from 'node:crypto';

import type { NoteFacts } from '../../../domain/note.ts';
import type { Outcome } from '../../../domain/phase.ts';
import type { TaskNote } from '../../../domain/task-note.ts';
import { verdict } from '../../../domain/verdict.ts';
import { demoIdea } from '../demo/idea.ts';

interface Idea {
  readonly id: string;
  readonly title: string;
  readonly hypothesis: string;
  /** By how much the metric moves against the baseline, as a part of it. */
  readonly effect: number;
}

const ideas: readonly Idea[] = [
  {
    id: 'warmup-cosine',
    title: 'Warm-up and cosine decay lower the validation loss',
    hypothesis: 'A linear warm-up, then a cosine decay, lowers val/loss by at least 30 %.',
    effect: -0.5,
  },
  {
    id: 'label-smoothing',
    title: 'Label smoothing lowers the validation loss',
    hypothesis: 'A smoothing of 0.1 lowers val/loss by at least 2 %.',
    effect: 0.004,
  },
  {
    id: 'larger-batch',
    title: 'A larger batch keeps the validation loss',
    hypothesis: 'A batch of 128 instead of 32 keeps val/loss within the noise.',
    effect: 0.3,
  },
  {
    id: 'dropout',
    title: 'Dropout between the layers lowers the validation loss',
    hypothesis: 'A dropout of 0.2 lowers val/loss by at least 5 %.',
    effect: -0.01,
  },
  {
    id: 'wider-network',
    title: 'A wider network lowers the validation loss',
    hypothesis: 'Twice as many hidden units lower val/loss by at least 10 %.',
    effect: -0.2,
  },
  {
    id: 'weight-decay',
    title: 'Weight decay lowers the validation loss',
    hypothesis: 'A weight decay of 1e-4 lowers val/loss by at least 2 %.',
    effect: 0.002,
  },
];

const outcomes: readonly Outcome[] = ['merged', 'rejected', 'stopped', 'failed'];
const baselineMean = 0.204;
const day = 86_400_000;

/** Facts as experiments would leave them, the same for the same number: for looking at a vault without weeks of training. */
export function madeUpExperiments(count: number): NoteFacts[] {
  return Array.from({ length: count }, (_, index) => madeUp(index));
}

function madeUp(index: number): NoteFacts {
  const idea = ideas[index % ideas.length] ?? ideas[0];
  if (idea === undefined) throw new TypeError('there are no ideas');
  const lap = Math.floor(index / ideas.length);
  const id = lap === 0 ? idea.id : `${idea.id}-${lap + 1}`;
  const outcome = outcomes[index % outcomes.length] ?? 'merged';
  const measured = outcome === 'merged' || outcome === 'rejected';
  const startedAt = new Date(Date.UTC(2026, 0, 5, 9) + index * day).toISOString();
  const headSha = shaOf(index);
  const seeds = [0, 1, 2];
  const earlier = ideas[(index - 1) % ideas.length];
  const evidence = measured ? evidenceOf(idea, headSha, id) : null;
  const task: TaskNote = {
    ...demoIdea.note,
    id,
    title: lap === 0 ? idea.title : `${idea.title}, tried once more (${lap + 1})`,
    hypothesis: idea.hypothesis,
    seeds,
    baseline: index === 0 || earlier === undefined ? null : { experiment: earlier.id },
  };
  return {
    experimentId: id,
    startedAt,
    outcome,
    task,
    evidence,
    decision: decisionOf(outcome, headSha, startedAt),
    pullRequestUrl: `https://github.example/lab/digits/pull/${index + 1}`,
    mergeSha: outcome === 'merged' ? shaOf(index + 1000) : null,
    headSha,
    jobIds: evidence?.jobs.map(({ jobId }) => jobId) ?? [],
    runUrls: evidence?.jobs.map(({ runUrl }) => runUrl) ?? [],
    environmentDigest: shaOf(index + 2000),
    gpuHours: measured ? 0.6 : 0.1,
    wallHours: measured ? 0.25 : 0,
    tokens: 4200,
    failure: outcome === 'failed' ? 'JobFailed: seed 0: the command ended with code 1' : null,
    remarks: outcome === 'rejected' ? [remarkOf(startedAt)] : [],
  };
}

function evidenceOf({ effect }: Idea, headSha: string, id: string): NonNullable<NoteFacts['evidence']> {
  const baseline = [0.2031, 0.2012, 0.2055];
  const values = [0.0011, -0.0009, 0.0002].map((noise) =>
    Number((baselineMean * (1 + effect) + noise).toFixed(4)),
  );
  return {
    headSha,
    environmentDigest: headSha,
    attempt: 1,
    jobs: values.map((value, seed) => ({
      seed,
      jobId: `job-${headSha.slice(0, 8)}-${seed}`,
      runId: `${id}-a1-s${seed}`,
      runUrl: `https://wandb.example/lab/digits/runs/${id}-a1-s${seed}`,
      value,
      gpuHours: 0.2,
      wallHours: 0.25,
    })),
    metric: demoIdea.note.metric,
    baseline: { name: 'first-baseline', values: baseline },
    verdict: verdict(values, baseline, 'minimize'),
    gpuHours: 0.6,
    wallHours: 0.25,
  };
}

function decisionOf(outcome: Outcome, head: string, startedAt: string): NoteFacts['decision'] {
  const kind = { merged: 'merge', rejected: 'reject', stopped: 'stop', failed: null } as const;
  const said = kind[outcome];
  if (said === null) return null;
  const reason = said === 'merge' ? undefined : 'not worth the hours';
  return { kind: said, by: 'pi', head, reason, at: new Date(Date.parse(startedAt) + day / 4).toISOString() };
}

function remarkOf(startedAt: string) {
  return {
    by: 'pi',
    at: new Date(Date.parse(startedAt) + day / 5).toISOString(),
    question: 'Is the difference more than the noise?',
    answer: 'The interval in FACTS.json includes zero in the one case and not in the other: see the verdict.',
    answeredBy: 'Gemini CLI (gemini-3.1-pro-preview)',
  };
}

function shaOf(index: number): string {
  return createHash('sha1').update(`made up ${index}`).digest('hex');
}
