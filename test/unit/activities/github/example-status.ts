import type { ExperimentStatus } from '../../../../domain/experiment.ts';
import { verdict } from '../../../../domain/verdict.ts';

const headSha = 'a1b2c3d4e5f60718293a4b5c6d7e8f9012345678';

function at(minutes: number): string {
  return new Date(Date.UTC(2026, 10, 24, 12, minutes)).toISOString();
}

/** The state of an experiment that waits for its decision; give what a test is about. */
export function exampleStatus(overrides: Partial<ExperimentStatus> = {}): ExperimentStatus {
  const jobs = [0.231, 0.238].map((value, seed) => ({
    seed,
    jobId: `job-00000000-0000-4000-8000-00000000000${seed}`,
    runId: `warmup-cosine-a1-s${seed}-abcd`,
    runUrl: `https://wandb.example/lab/digits/runs/warmup-cosine-a1-s${seed}-abcd`,
    value,
    gpuHours: 0.5,
  }));
  const baseline = { name: 'first-baseline', values: [0.25, 0.262, 0.257] };
  return {
    id: 'warmup-cosine',
    title: 'Cosine warm-up lowers validation loss',
    repository: 'lab/digits',
    phase: 'deciding',
    waitingFor: 'the decision of the PI',
    since: at(50),
    phases: [
      { phase: 'planning', startedAt: at(0), endedAt: at(3) },
      { phase: 'training', startedAt: at(3), endedAt: at(49) },
      { phase: 'deciding', startedAt: at(50), endedAt: null },
    ],
    branch: 'hephaestus/warmup-cosine',
    headSha,
    pullRequest: { number: 7, url: 'https://github.example/lab/digits/pull/7' },
    environment: { digest: 'e'.repeat(64), reused: true },
    gate: { status: 'pass', reasons: ['Copilot reviewed this commit and left no open thread'] },
    repairs: 1,
    attempts: [
      {
        number: 1,
        headSha,
        jobs: jobs.map(({ value: _value, ...job }) => ({
          ...job,
          state: 'synced',
          detail: '',
          outcome: 'succeeded',
          question: null,
          duplicates: [],
          peakMemoryBytes: null,
        })),
      },
    ],
    stalled: false,
    live: null,
    evidence: {
      headSha,
      environmentDigest: 'e'.repeat(64),
      attempt: 1,
      jobs,
      metric: { name: 'val/loss', goal: 'minimize' },
      baseline,
      verdict: verdict(
        jobs.map(({ value }) => value),
        baseline.values,
        'minimize',
      ),
      gpuHours: 1,
      wallHours: 0.77,
    },
    decision: null,
    refused: [
      { kind: 'merge', by: 'pi', at: at(20), why: 'there is no evidence yet: the experiment is training' },
    ],
    said: [],
    override: null,
    mergeSha: null,
    note: null,
    cost: { gpuHours: 1, tokens: 12_000 },
    failure: null,
    links: [
      {
        label: 'Temporal',
        url: 'https://temporal.example/namespaces/default/workflows/experiment%2Fwarmup-cosine',
      },
    ],
    ...overrides,
  };
}
