import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { describe, expect, it } from 'vitest';

import { createWandbActivities } from '../../../../activities/wandb/create-wandb-activities.ts';
import type {
  LiveResultsInput,
  ResultsInput,
  WandbActivities,
} from '../../../../activities/wandb/interface.ts';
import type { LiveResults, Results } from '../../../../domain/evidence.ts';
import type { HistoryPoint, WandbClient, WandbRun } from '../../../../infra/wandb/wandb-client.ts';

type Stored = WandbRun & { readonly history: readonly HistoryPoint[] };

function stored(runId: string, change: Partial<Stored> = {}): Stored {
  return {
    entity: 'lab',
    project: 'digits',
    runId,
    displayName: `name of ${runId}`,
    state: 'finished',
    group: null,
    tags: [],
    rows: 2,
    lastStep: 1,
    metricRows: null,
    summary: { 'val/loss': 0.123456789 },
    config: {},
    url: `http://wandb.example/${runId}`,
    history: [
      { step: 0, value: 1 / 3 },
      { step: 1, value: null },
    ],
    ...change,
  };
}

/** A server in memory; its filter knows what the product asks for. */
function fakeClient(runs: readonly Stored[]): WandbClient {
  const find = (runId: string): Stored | undefined => runs.find((run) => run.runId === runId);
  return {
    defaultEntity: async () => 'lab',
    run: async ({ runId }) => find(runId) ?? null,
    history: async ({ runId }) => find(runId)?.history ?? [],
    runs: async (_, filter) => {
      const wanted = JSON.stringify(filter);
      return runs.filter(
        ({ group, tags }) =>
          wanted.includes(`{"group":${JSON.stringify(group)}}`) ||
          tags.some((tag) => wanted.includes(`{"tags":${JSON.stringify(tag)}}`)),
      );
    },
  };
}

const own = stored('warmup-a1-s0-tok');

function activitiesOver(runs: readonly Stored[]): WandbActivities {
  return createWandbActivities({
    disk: { sharedDir: '/nowhere', jobSharedDir: '/nowhere' },
    wandb: fakeClient(runs),
    settings: { baseUrl: 'http://wandb.example', apiKey: 'k', entity: undefined, project: undefined },
    syncCommand: ['false'],
    environment: {},
  });
}

function read(runs: readonly Stored[], change: Partial<ResultsInput> = {}): Promise<Results> {
  const activities = activitiesOver(runs);
  const { entity, project, runId, url, rows } = own;
  const input: ResultsInput = {
    runs: [{ entity, project, runId, url, rows, lastStep: 1, seed: 0 }],
    metric: { name: 'val/loss', goal: 'minimize' },
    baseline: null,
    ...change,
  };
  const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  return environment.run<[ResultsInput], Results, (given: ResultsInput) => Promise<Results>>(
    (given) => activities.readResults(given),
    input,
  );
}

describe('readResults', () => {
  it('keeps final values exact and rounds curves', async () => {
    const results = await read([own]);
    expect(results.baseline).toBeNull();
    expect(results.runs).toEqual([
      {
        runId: own.runId,
        url: own.url,
        seed: 0,
        value: 0.123456789,
        lastStep: 1,
        rows: 2,
        curve: { label: 'seed 0', seed: 0, step: [0, 1], value: [0.333333, null] },
        gaps: 1,
        runtimeSeconds: null,
      },
    ]);
  });

  it.each([
    [{ 'val/loss': { min: 0.1, max: 3 } }, 0.1],
    [{ 'val/loss': { last: 0.2 } }, 0.2],
    [{ 'val/loss': { max: 0.3 } }, 0.3],
    [{ 'val/loss': 'NaN' }, null],
    [{ 'val/loss': null }, null],
    [{}, null],
  ])('takes the final value from the summary %j', async (summary, value) => {
    const results = await read([stored(own.runId, { summary })]);
    expect(results.runs[0]?.value).toBe(value);
  });

  it('finds a metric with dots in a nested summary', async () => {
    const metric = { name: 'eval.acc', goal: 'maximize' } as const;
    const results = await read([stored(own.runId, { summary: { eval: { acc: { max: 0.9 } } } })], { metric });
    expect(results.runs[0]?.value).toBe(0.9);
  });

  it('thins a long curve and keeps its ends, its spikes and its gaps', async () => {
    const history = Array.from({ length: 5_000 }, (_, index) => ({
      step: index * 10,
      value: index === 777 ? 1e6 : index === 2_222 ? null : index,
    }));
    const { curve } = (await read([stored(own.runId, { history })])).runs[0] ?? {};
    expect(curve?.step.length).toBeGreaterThan(60);
    expect(curve?.step.length).toBeLessThanOrEqual(200);
    expect(curve?.step[0]).toBe(0);
    expect(curve?.step.at(-1)).toBe(49_990);
    expect(curve?.value).toContain(1e6);
    expect(curve?.value[curve.step.indexOf(22_220)]).toBeNull();
    expect(curve?.step).toEqual(curve?.step.toSorted((a, b) => a - b));
  });

  it('finds a baseline by group or tag, only its newest attempt, only what is finished', async () => {
    const tags = ['experiment:first'];
    const results = await read(
      [
        own,
        stored('first-a2-s1-tok', { tags }),
        stored('first-a2-s0-tok', { tags }),
        stored('first-a2-s2-tok', { tags, state: 'running' }),
        stored('first-a1-s0-tok', { tags }),
        stored('unrelated', { tags: ['experiment:other'] }),
      ],
      { baseline: { experiment: 'first' } },
    );
    expect(results.baseline?.name).toBe('first');
    expect(results.baseline?.runs.map(({ runId, seed }) => [runId, seed])).toEqual([
      ['first-a2-s1-tok', 1],
      ['first-a2-s0-tok', 0],
    ]);
  });

  it('takes the seed of a run with an id of its own from its config', async () => {
    const baseline = stored('byhand', { group: 'first', config: { seed: { value: 7 } } });
    const results = await read([own, baseline], { baseline: { experiment: 'first' } });
    expect(results.baseline?.runs[0]).toMatchObject({ runId: 'byhand', seed: 7 });
  });

  it('finds a baseline by its path', async () => {
    const results = await read([own, stored('byhand')], { baseline: { run: 'lab/digits/byhand' } });
    expect(results.baseline).toMatchObject({ name: 'lab/digits/byhand', runs: [{ seed: null }] });
  });

  it.each([
    ['the run itself', [], null, own.runId],
    ['a named baseline', [own], { run: 'lab/digits/gone' }, 'lab/digits/gone'],
    [
      'a baseline experiment',
      [own],
      { experiment: 'gone' },
      '{"$or":[{"group":"gone"},{"tags":"experiment:gone"}]}',
    ],
  ] as const)('says what is missing: %s', async (_, runs, baseline, words) => {
    await expect(read(runs, { baseline })).rejects.toMatchObject({
      type: 'WandbResultMissing',
      nonRetryable: true,
      message: expect.stringContaining(words),
    });
  });
});

describe('awaitLiveResults', () => {
  const wandb = { mode: 'offline', project: 'digits', entity: 'lab' } as const;
  const metric = { name: 'val/loss', goal: 'minimize' } as const;
  const runs = [
    { runId: own.runId, seed: 0 },
    { runId: 'warmup-a1-s1-tok', seed: 1 },
  ];

  function live(
    known: readonly Stored[],
    baseline: LiveResultsInput['baseline'],
    since: LiveResultsInput['since'] = null,
  ): Promise<LiveResults> {
    const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
    return environment.run<
      [LiveResultsInput],
      LiveResults,
      (given: LiveResultsInput) => Promise<LiveResults>
    >((given) => activitiesOver(known).awaitLiveResults(given), {
      runs,
      wandb,
      metric,
      baseline,
      since,
      pauseSeconds: 300,
    });
  }

  it('tells the last finite value so far, and which run is not there yet', async () => {
    const running = stored(own.runId, { state: 'running', summary: {} });
    const results = await live([running], null);
    expect(Date.parse(results.asOf)).toBeGreaterThan(Date.now() - 60_000);
    expect(results.runs).toMatchObject([
      { seed: 0, state: 'running', rows: 2, value: 0.333333, gaps: 1, url: own.url },
      { seed: 1, state: null, rows: 0, value: null, url: '' },
    ]);
  });

  it.each([
    ['no row is there', [], null, 2500],
    ['no row is new', [own], { rows: 2, asOf: '2026-01-01T00:00:00.000Z' }, 2500],
  ] as const)('fails benignly while %s', async (_, known, since, retry) => {
    await expect(live([...known], null, since)).rejects.toMatchObject({
      type: 'LiveUnchanged',
      category: 'BENIGN',
      nextRetryDelay: retry,
    });
  });

  it('lets the pause pass without a look', async () => {
    const since = { rows: 0, asOf: new Date().toISOString() };
    const failure: unknown = await live([own], null, since).catch((error: unknown) => error);
    expect(failure).toMatchObject({ type: 'LiveUnchanged' });
    expect((failure as { nextRetryDelay: number }).nextRetryDelay).toBeGreaterThan(290_000);
  });

  it('leaves out a baseline that is not there', async () => {
    expect((await live([own], { experiment: 'gone' })).baseline).toBeNull();
    expect((await live([own, stored('byhand')], { run: 'lab/digits/byhand' })).baseline?.name).toBe(
      'lab/digits/byhand',
    );
  });
});
