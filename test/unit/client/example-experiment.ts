import type { ExperimentStatus } from '../../../domain/experiment.ts';
import type { Experiments } from '../../../client/experiments.ts';
import type { SeenExperiment } from '../../../client/seen-experiment.ts';

export const head = 'a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6a7b8c9d0';

/** A status in the middle of its way; each test changes what it is about. */
export function exampleStatus(more: Partial<ExperimentStatus> = {}): ExperimentStatus {
  return {
    id: 'warmup',
    title: 'Warm-up',
    repository: 'lab/digits',
    phase: 'training',
    waitingFor: 'the jobs',
    since: '2026-01-01T00:00:00.000Z',
    phases: [],
    branch: 'hephaestus/warmup',
    headSha: head,
    pullRequest: { number: 7, url: 'https://github.test/lab/digits/pull/7' },
    environment: null,
    gate: null,
    repairs: 0,
    attempts: [],
    stalled: false,
    live: null,
    evidence: null,
    decision: null,
    refused: [],
    said: [],
    override: null,
    mergeSha: null,
    note: null,
    cost: { gpuHours: 0.5, tokens: 12 },
    failure: null,
    links: [],
    ...more,
  };
}

export function exampleSeen(more: Partial<SeenExperiment> = {}): SeenExperiment {
  const status = more.status === undefined ? exampleStatus() : more.status;
  return {
    id: 'warmup',
    workflowId: 'experiment/warmup',
    runId: 'run',
    execution: 'running',
    phase: status?.phase ?? 'training',
    startedAt: '2026-01-01T00:00:00.000Z',
    endedAt: null,
    url: 'http://temporal.test/warmup',
    status,
    unanswered: null,
    ...more,
  };
}

function unexpected(): never {
  throw new Error('this call was not expected');
}

/** A client whose calls all fail the test, but for those that it names. */
export function fakeExperiments(calls: Partial<Experiments>): Experiments {
  return {
    start: unexpected,
    see: unexpected,
    list: unexpected,
    findByPullRequest: unexpected,
    troubles: async () => [],
    decide: unexpected,
    settle: unexpected,
    approveQuality: unexpected,
    invite: unexpected,
    startFromPullRequest: unexpected,
    nudge: unexpected,
    runJanitor: unexpected,
    ping: unexpected,
    close: async () => undefined,
    ...calls,
  };
}
