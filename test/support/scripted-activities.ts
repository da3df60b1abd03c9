import { ApplicationFailure } from '@temporalio/common';

import type { AttemptsActivities } from '../../activities/attempts/interface.ts';
import { guardActivities } from '../../activities/boundary.ts';
import type { CodingActivities } from '../../activities/coding/interface.ts';
import type { EnvironmentActivities } from '../../activities/environment/interface.ts';
import type { ConversationActivities } from '../../activities/github/conversation.ts';
import type { GithubActivities } from '../../activities/github/interface.ts';
import type {
  AttemptSight,
  JanitorControlActivities,
  JanitorDiskActivities,
} from '../../activities/janitor/interface.ts';
import type { NotesActivities } from '../../activities/notes/interface.ts';
import type { NotificationsActivities } from '../../activities/notifications/interface.ts';
import type { PlanningActivities } from '../../activities/planning/interface.ts';
import type { QizhiActivities } from '../../activities/qizhi/interface.ts';
import type { WandbActivities } from '../../activities/wandb/interface.ts';
import type { HeardWord } from '../../domain/command.ts';
import type { JobExit, JobObservation, JobRecords } from '../../domain/job.ts';
import type { PullRequestSnapshot } from '../../domain/pull-request.ts';
import { Failure } from '../../infra/failure.ts';
import { exampleNote } from './example-note.ts';

export type AllActivities = PlanningActivities &
  NotesActivities &
  NotificationsActivities &
  CodingActivities &
  EnvironmentActivities &
  AttemptsActivities &
  GithubActivities &
  ConversationActivities &
  QizhiActivities &
  WandbActivities &
  JanitorDiskActivities &
  JanitorControlActivities;

export type ActivityName = keyof AllActivities;

/** An outside world in memory: what it was asked is written down, and any step can be held, failed or overridden. */
export interface ScriptedWorld {
  readonly activities: AllActivities;
  /** Every call in order, by name and input. */
  readonly calls: { readonly name: ActivityName; readonly input: unknown }[];
  /** From now on calls of this activity wait until `release`. */
  hold(name: ActivityName): void;
  release(name: ActivityName): void;
  /** Resolves once the activity has been called. */
  reached(name: ActivityName): Promise<void>;
  /** What the platform and the job's records say of each job, by seed; change it as the test goes. */
  readonly jobs: Map<number, { observation: JobObservation; records: JobRecords }>;
  snapshot: PullRequestSnapshot;
  /** What people said below the pull request; add to it as the test goes. */
  readonly words: HeardWord[];
}

export const emptyRecords: JobRecords = {
  claim: null,
  heartbeatAt: null,
  silent: false,
  exit: null,
  duplicates: [],
  logTail: '',
};

export function jobIdOf(seed: number): string {
  return `job-00000000-0000-4000-8000-00000000000${seed}`;
}

export function observation(overrides: Partial<JobObservation> = {}): JobObservation {
  return {
    jobId: jobIdOf(0),
    state: 'running',
    rawStatus: 'job_running',
    reason: '',
    runningMs: 0,
    gpuCount: 1,
    round: 1,
    reserving: false,
    evicted: false,
    queuedMs: 0,
    observedAt: 0,
    ...overrides,
  };
}

export function exited(code: number, more: Partial<JobExit> = {}): JobExit {
  const unknown = { signal: null, reason: null, peakMemoryBytes: null, gpuSeconds: null };
  return { code, startedAt: 0, endedAt: 1000, ...unknown, ...more };
}

/** Both witnesses of a job that trained to its end. */
export function trained(seed: number): { observation: JobObservation; records: JobRecords } {
  return {
    observation: observation({ state: 'succeeded', rawStatus: 'job_succeeded', runningMs: 3_600_000 }),
    records: {
      ...emptyRecords,
      claim: { jobId: jobIdOf(seed), host: 'node', at: 0 },
      exit: exited(0, { endedAt: 3_600_000 }),
    },
  };
}

export const head = 'a'.repeat(40);

function openSnapshot(): PullRequestSnapshot {
  return {
    number: 1,
    url: 'http://github.example/lab/digits/pull/1',
    state: 'open',
    draft: false,
    headSha: head,
    mergeCommitSha: null,
    reviews: [
      {
        author: 'copilot-pull-request-reviewer[bot]',
        isBot: true,
        isCopilot: true,
        commitId: head,
        state: 'COMMENTED',
        body: '',
      },
    ],
    threads: [],
    checks: [],
    copilotRequested: true,
  };
}

/**
 * The world in which everything goes well, with `overrides` for what a test is about. Between two looks it waits as long as
 * the policy says, and at most `longestPauseMs`: short, so that a test follows quickly.
 */
export function scriptedWorld(
  overrides: Partial<AllActivities> = {},
  { longestPauseMs = 200 }: { readonly longestPauseMs?: number } = {},
): ScriptedWorld {
  const gates = new Map<ActivityName, { promise: Promise<void>; open: () => void }>();
  const calls: ScriptedWorld['calls'] = [];
  const arrivals = new Map<ActivityName, () => void>();
  const arrived = new Map<ActivityName, Promise<void>>();
  const world: ScriptedWorld = {
    activities: {} as AllActivities,
    calls,
    jobs: new Map(),
    snapshot: openSnapshot(),
    words: [],
    hold: (name) => gates.set(name, gate()),
    release: (name) => {
      gates.get(name)?.open();
      gates.delete(name);
    },
    reached: async (name) => {
      if (calls.some((call) => call.name === name)) return;
      if (!arrived.has(name)) arrived.set(name, new Promise((resolve) => arrivals.set(name, resolve)));
      await arrived.get(name);
    },
  };
  const implementations = { ...goodWorld(world, unchangedWithin(longestPauseMs)), ...overrides } as Record<
    string,
    (input: never) => Promise<unknown>
  >;
  const watched = Object.entries(implementations).map(([key, run]) => [
    key,
    async (input: never) => {
      const name = key as ActivityName;
      calls.push({ name, input });
      arrivals.get(name)?.();
      await gates.get(name)?.promise;
      return run(input);
    },
  ]);
  return Object.assign(world, { activities: guardActivities(Object.fromEntries(watched) as AllActivities) });
}

function gate(): { promise: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { promise, open: resolve };
}

function seedOf(jobId: string): number {
  return Number(jobId.at(-1));
}

type Unchanged = (
  type: 'JobUnchanged' | 'RecordsUnchanged' | 'GateUnchanged' | 'NothingSaid',
  seconds: number,
) => Failure;

function unchangedWithin(longestPauseMs: number): Unchanged {
  return (type, seconds) =>
    new Failure(type, 'nothing changed', { retryAfterMs: Math.min(seconds * 1000, longestPauseMs) });
}

const orphanSight: AttemptSight = {
  experimentId: 'left-alone',
  attempt: 1,
  seed: 0,
  status: 'open',
  claimedBy: jobIdOf(0),
  beat: '1',
  asked: false,
};

/** What the janitor finds: one job that trains on although its workflow is over. */
const orphan: JanitorDiskActivities & JanitorControlActivities = {
  listOpenAttempts: async () => ({ attempts: [orphanSight], passed: 3, next: null }),
  lookAtAttempts: async (keys) => keys.map((key) => ({ ...orphanSight, ...key, beat: '2' })),
  recordDecisions: async () => undefined,
  findOwners: async (keys) =>
    keys.map(() => ({ owner: { status: 'closed', since: 0, how: 'terminated' }, jobIds: [jobIdOf(0)] })),
  listClosedJobs: async () => ({ keys: [], next: null }),
  observeJobs: async ({ jobIds }) =>
    jobIds.map(() => ({ status: 'seen', state: 'running', rawStatus: 'job_running', reserving: false })),
};

function goodWorld(world: ScriptedWorld, unchanged: Unchanged): AllActivities {
  const jobOf = (seed: number) => world.jobs.get(seed) ?? trained(seed);
  return {
    planTaskNote: async ({ experimentId }) => ({
      note: exampleNote({ id: experimentId }),
      body: '## Why\n',
      tokens: 10,
    }),
    checkPlan: async () => [],
    describeBaseline: async () => ({ name: 'first-baseline', runs: 3, metrics: ['val/loss'] }),
    describeRepository: async () => ({ baseSha: 'b'.repeat(40), files: ['train.py'], readme: '# digits' }),
    prepareSource: async () => ({ baseSha: 'b'.repeat(40), nextAttempt: 1 }),
    implementChange: async () => ({
      headSha: head,
      summary: 'a schedule',
      changedPaths: ['train.py'],
      tokens: 100,
    }),
    openByAgent: async () => ({ said: 'opened', tokens: 1, usage: [] }),
    pushBranch: async () => undefined,
    freezeEnvironment: async () => ({
      digest: 'd'.repeat(64),
      reused: false,
      packages: 12,
      bytes: 1,
      missingGuarantees: [],
    }),
    rehearseCommand: async () => ({
      status: 'passed',
      code: null,
      sentence: 'the command ran for 3 s and began run r offline',
      sawRun: true,
      connections: [],
      missingGuarantees: [],
      seconds: 3,
      outputTail: '',
    }),
    writeAttempt: async ({ runs }) =>
      runs.map(({ seed }) => ({ seed, command: `sh /shared/${seed}/start.sh` })),
    revokeAttempt: async () => ({ claimedBy: null }),
    requestStop: async () => undefined,
    awaitRecordsChange: async ({ seed, since, pollSeconds }) => {
      const { records } = jobOf(seed);
      const fingerprint = records === emptyRecords ? 'nothing' : JSON.stringify(records);
      if (fingerprint === since) throw unchanged('RecordsUnchanged', pollSeconds);
      return { records, fingerprint };
    },
    openPullRequest: async () => ({ number: 1, url: 'http://github.example/lab/digits/pull/1' }),
    markReady: async () => undefined,
    requestReview: async () => undefined,
    awaitPullRequestChange: async ({ since, pollSeconds }) => {
      const fingerprint = JSON.stringify(world.snapshot);
      if (fingerprint === since) throw unchanged('GateUnchanged', pollSeconds);
      return { snapshot: world.snapshot, fingerprint };
    },
    publishQuality: async () => undefined,
    uploadCurves: async () => ({ url: 'http://github.example/curves.png', alt: 'curves' }),
    updateComment: async () => ({
      url: 'http://github.example/lab/digits/pull/1#issuecomment-1',
      shownAt: new Date().toISOString(),
    }),
    awaitWords: async ({ cursor, once, pollSeconds }) => {
      const words = world.words.filter(({ commentId }) => !cursor.known.includes(commentId));
      const state = world.snapshot.state;
      if (words.length === 0 && state === cursor.state && !once) throw unchanged('NothingSaid', pollSeconds);
      const known = [...cursor.known, ...words.map(({ commentId }) => commentId)];
      return { words, cursor: { ...cursor, known, state }, headSha: world.snapshot.headSha };
    },
    answerWord: async () => undefined,
    lookAtInvitation: async () => ({ status: 'none', why: 'it has no QWEN_TASK.md' }),
    adoptChange: async () => ({
      headSha: world.snapshot.headSha,
      summary: 'by hand',
      changedPaths: ['train.py', 'QWEN_TASK.md'],
      tokens: 0,
    }),
    mergePullRequest: async () => ({ mergeSha: 'c'.repeat(40) }),
    closePullRequest: async () => undefined,
    awaitPlatform: async () => undefined,
    findSubmittedJob: async () => ({ status: 'no-list' }),
    createJob: async ({ seed }) => ({ status: 'created', jobId: jobIdOf(seed) }),
    awaitJobChange: async ({ jobId, since, pollSeconds }) => {
      const seen = jobOf(seedOf(jobId)).observation;
      const fingerprint = JSON.stringify(seen);
      if (fingerprint === since) throw unchanged('JobUnchanged', pollSeconds);
      return { observation: seen, fingerprint };
    },
    stopJob: async () => observation({ state: 'stopped', rawStatus: 'job_stopped' }),
    ...orphan,
    mirrorRun: async () => ({ rows: 30 }),
    findStrays: async () => ({ strays: [], runs: 0, quarantined: [] }),
    tendStray: async () => ({ status: 'acknowledged', reason: 'all rows are there', cure: '', rows: 30 }),
    syncRun: async ({ runId }) => ({
      entity: 'lab',
      project: 'digits',
      runId,
      url: `http://wandb.example/lab/digits/runs/${runId}`,
      rows: 30,
      lastStep: 29,
    }),
    readResults: async ({ runs }) => ({
      runs: runs.map(({ runId, seed, url }) => ({
        runId,
        url,
        seed,
        value: 0.1 + seed / 1000,
        lastStep: 29,
        rows: 30,
        curve: { label: `seed ${seed}`, seed, step: [0, 29], value: [1, 0.1] },
      })),
      baseline: null,
    }),
    awaitLiveResults: async ({ pauseSeconds }) => {
      // Nobody waits for it here, and a look each moment of a training would be the most that a long test does.
      throw new Failure('LiveUnchanged', 'nothing changed', { retryAfterMs: pauseSeconds * 1000 });
    },
    awaitEvents: async () => {
      throw new Failure('NothingToTell', 'nothing is new', { retryAfterMs: 60_000 });
    },
    deliver: async () => undefined,
    writeNote: async ({ experimentId }) => ({
      path: `20261124000000-${experimentId}.md`,
      commit: null,
      tokens: 5,
    }),
  };
}

/** Heads of the two rounds of `worldWithFinding`. */
export const headsWithFinding = [head, 'e'.repeat(40)] as const;

/** Copilot finds something in the first round; the second one is right. */
export function worldWithFinding(): ScriptedWorld {
  const thread = {
    id: 't',
    author: 'Copilot',
    isCopilot: true,
    path: 'train.py',
    line: 3,
    body: 'set the seed',
  };
  const world = scriptedWorld({
    implementChange: async ({ round }) => {
      const headSha = headsWithFinding[round] ?? head;
      const reviews = world.snapshot.reviews.map((review) => ({ ...review, commitId: headSha }));
      world.snapshot = { ...world.snapshot, headSha, reviews, threads: round === 0 ? [thread] : [] };
      return { headSha, summary: '', changedPaths: ['train.py'], tokens: 1 };
    },
  });
  return world;
}

/** What Temporal sees when an activity fails by one of our types for good. */
export function failsWith(type: string, message: string): () => Promise<never> {
  return () => Promise.reject(ApplicationFailure.create({ type, message, nonRetryable: true }));
}
