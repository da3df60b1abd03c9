import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ClientError } from '../../../client/client-error.ts';
import type { Experiments } from '../../../client/experiments.ts';
import type { DecisionRequest } from '../../../domain/decision.ts';
import type { Evidence } from '../../../domain/evidence.ts';
import type { ExperimentInput } from '../../../domain/experiment.ts';
import { verdict } from '../../../domain/verdict.ts';
import { exampleNote } from '../../support/example-note.ts';
import { noteWith } from '../domain/note-with.ts';
import { exampleSeen, exampleStatus, head } from './example-experiment.ts';
import { runIn } from './run-in.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cli-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const run: typeof runIn = (args, options) => runIn(args, { cwd: directory, ...options });

async function noteFile(note: unknown): Promise<string> {
  const path = join(await mkdtemp(join(directory, 'note-')), 'QWEN_TASK.md');
  await writeFile(path, `---\n${stringify(note)}---\n## Why\n`);
  return path;
}

const evidence: Evidence = {
  headSha: head,
  environmentDigest: 'e'.repeat(64),
  attempt: 1,
  jobs: [],
  metric: { name: 'val/loss', goal: 'minimize' },
  baseline: { name: 'main', values: [0.5, 0.5] },
  verdict: verdict([0.4, 0.4], [0.5, 0.5], 'minimize'),
  gpuHours: 0.5,
  wallHours: 0.1,
};
const deciding = exampleSeen({ status: exampleStatus({ phase: 'deciding', evidence }) });

describe('usage', () => {
  it.each<[code: number, args: readonly string[]]>([
    [0, ['--help']],
    [0, ['start', '--help']],
    [2, []],
    [2, ['strat']],
    [2, ['show']],
    [2, ['show', 'a', 'b']],
    [2, ['list', '--limit', 'many']],
    [2, ['merge', 'warmup', '--head', 'main']],
    [2, ['worker']],
    [2, ['worker', '--zone', 'offline']],
    [2, ['start']],
    [2, ['start', '--idea', 'x']],
    [2, ['start', '--idea', 'x', '--repo', 'nowhere']],
    [2, ['start', '--idea', 'x', '--repo', 'a/b', '--id', 'X']],
    [2, ['start', 'note.md', '--idea', 'x']],
    [2, ['start', 'missing.md']],
    [2, ['start', '--pr', 'lab/digits']],
    [2, ['start', 'note.md', '--pr', 'lab/digits#1']],
    [2, ['start', '--pr', 'lab/digits#1', '--id', 'x-y-z']],
    [2, ['approve-quality', 'warmup']],
    [2, ['approve-quality', 'warmup', '--reason', ' ']],
    [2, ['approve-quality', 'warmup', '--reason', 'r', '--head', 'main']],
    [2, ['webhook']],
  ])('exits %i for %j', async (code, args) => {
    const ran = await run(args);
    expect(ran.code).toBe(code);
    expect(code === 0 ? ran.out : ran.err).not.toBe('');
  });

  it('suggests what was meant', async () => {
    expect((await run(['strat'])).err).toContain('Did you mean start?');
  });

  it('exits 2 with every problem of the configuration', async () => {
    const ran = await run(['list'], { env: { HEPHAESTUS_HOEM: '1', QIZHI_POLL_SECONDS: 'x' } });
    expect(ran.code).toBe(2);
    expect(ran.err).toContain('2 problems');
  });

  it('does not need a worker, or its credentials, to refuse one', async () => {
    const ran = await run(['worker', '--zone', 'local']);
    expect(ran.code).toBe(2);
    expect(ran.err).toContain('GEMINI_API_KEY');
  });
});

describe('start', () => {
  const started = {
    status: 'started',
    id: 'warmup-cosine',
    workflowId: 'experiment/warmup-cosine',
    runId: 'r',
    url: 'http://ui',
  } as const;

  it('starts what the note says, with the policy of this installation', async () => {
    const inputs: ExperimentInput[] = [];
    const start: Experiments['start'] = async (input) => {
      inputs.push(input);
      return started;
    };
    const env = { HEPHAESTUS_MAX_REPAIRS: '7' };
    const ran = await run(['start', await noteFile(exampleNote())], { calls: { start }, env });
    expect(ran.code).toBe(0);
    expect(ran.out).toContain('hephaestus watch warmup-cosine');
    expect(inputs).toMatchObject([
      {
        id: 'warmup-cosine',
        by: 'ann',
        source: { kind: 'note', body: '## Why\n' },
        policy: { maxRepairs: 7 },
      },
    ]);
  });

  it('tells every problem of the note and starts nothing', async () => {
    const note = noteWith('job.priority', 99);
    note['id'] = 'X';
    const path = await noteFile(note);
    const ran = await run(['start', path]);
    expect(ran.code).toBe(2);
    expect(ran.err).toMatch(/id: .*found "X"[\s\S]*job\.priority: .*found 99/);
    const json = await run(['start', path, '--json']);
    expect(JSON.parse(json.out)).toMatchObject({
      error: { kind: 'usage', problems: [{ path: 'id' }, { path: 'job.priority' }] },
    });
  });

  it('makes the same id of the same idea, also of one without Latin letters', async () => {
    const ids: string[] = [];
    const start: Experiments['start'] = async (input) => {
      ids.push(input.id);
      return started;
    };
    for (const idea of ['Try a 10-step warm-up!', 'Try a 10-step warm-up!', '学习率预热', '学习率衰减']) {
      await run(['start', '--idea', idea, '--repo', 'lab/digits'], { calls: { start } });
    }
    expect(ids.slice(0, 2)).toEqual(['try-a-10-step-warm-up', 'try-a-10-step-warm-up']);
    expect(ids[2]).toMatch(/^idea-[0-9a-f]{8}$/);
    expect(ids[3]).not.toBe(ids[2]);
  });
});

describe('show', () => {
  it('tells phase, what it waits for, result and what a person can do', async () => {
    const { out, code } = await run(['show', 'warmup'], { calls: { see: async () => deciding } });
    expect(code).toBe(0);
    expect(out).toContain('deciding  waiting for the jobs');
    expect(out).toContain('Better: 0.4000 against 0.5000');
    expect(out).toContain(`hephaestus merge warmup --head ${head.slice(0, 12)}`);
  });

  it('tells what is being tried again', async () => {
    const trouble = {
      workflowId: 'experiment/warmup',
      activity: 'createJob',
      type: 'QizhiUnavailable',
      message: 'no route\u001B[2J to host',
      attempt: 4,
      nextTryAt: new Date(Date.now() + 30_000).toISOString(),
    };
    const calls = { see: async () => exampleSeen(), troubles: async () => [trouble] };
    const { out } = await run(['show', 'warmup'], { calls });
    expect(out).toMatch(
      /is trying again: createJob failed \(QizhiUnavailable\): no route.* \[try 4, next try in \d+ s\]/,
    );
    expect(out).not.toContain('\u001B');
  });

  it('tells what Temporal knows when no worker answers', async () => {
    const seen = exampleSeen({ status: null, phase: 'syncing', unanswered: 'no worker answers for it' });
    const { out, code } = await run(['show', 'warmup'], { calls: { see: async () => seen } });
    expect(code).toBe(0);
    expect(out).toMatch(/syncing[\s\S]*no worker answers/);
  });

  it('prints one JSON document and nothing else on standard output', async () => {
    const { out, err } = await run(['show', 'warmup', '--json'], { calls: { see: async () => deciding } });
    expect(JSON.parse(out)).toMatchObject({ id: 'warmup', phase: 'deciding', troubles: [] });
    expect(err).toBe('');
  });

  it.each([
    [true, {}, true],
    [true, { NO_COLOR: '1' }, false],
    [false, {}, false],
  ])('is coloured on a terminal only (terminal %s, %j)', async (terminal, env, coloured) => {
    const { out } = await run(['show', 'warmup'], { calls: { see: async () => deciding }, terminal, env });
    expect(out.includes('\u001B[')).toBe(coloured);
  });
});

function deciders(seen = deciding) {
  const said: DecisionRequest[] = [];
  const calls: Partial<Experiments> = {
    see: async () => seen,
    decide: async (_id, request) => void said.push(request),
  };
  return { said, calls };
}

describe('a decision', () => {
  it.each(['merge', 'reject'])('%s is bound to the head that is shown now', async (kind) => {
    const { said, calls } = deciders();
    const ran = await run([kind, 'warmup', '--reason', 'r', '--by', 'bob'], { calls });
    expect(ran.code).toBe(0);
    expect(said).toEqual([{ kind, by: 'bob', head, attempt: 1, reason: 'r' }]);
  });

  it('takes the head that was given', async () => {
    const { said, calls } = deciders();
    await run(['merge', 'warmup', '--head', 'ABCDEF1'], { calls });
    expect(said).toMatchObject([{ head: 'abcdef1' }]);
  });

  it('stop asks for no head, so it works without evidence', async () => {
    const { said, calls } = deciders();
    await run(['stop', 'warmup'], { calls });
    expect(said).toEqual([{ kind: 'stop', by: 'ann', head: undefined, reason: undefined }]);
  });

  it.each([
    ['refused', 4],
    ['not-found', 3],
    ['unreachable', 5],
  ] as const)('that is %s exits %i with the reason', async (kind, code) => {
    const decide = async (): Promise<never> => {
      throw new ClientError(kind, 'because of this');
    };
    const calls = { ...deciders().calls, decide };
    const ran = await run(['merge', 'warmup'], { calls });
    expect(ran).toMatchObject({ code, out: '', err: 'because of this\n' });
    const json = await run(['merge', 'warmup', '--json'], { calls });
    expect(JSON.parse(json.out)).toMatchObject({ error: { message: 'because of this' } });
  });
});

describe('approve-quality', () => {
  it('passes name, reason and the head that is shown now', async () => {
    const said: unknown[] = [];
    const calls: Partial<Experiments> = {
      see: async () => deciding,
      approveQuality: async (_id, request) => void said.push(request),
    };
    const ran = await run(['approve-quality', 'warmup', '--reason', 'a flaky check'], { calls });
    expect(ran).toMatchObject({ code: 0, out: /passes on your word/ });
    expect(said).toEqual([{ by: 'ann', verdict: 'pass', reason: 'a flaky check', head }]);
  });

  it('exits 4 with the reason when the gate asks nothing', async () => {
    const calls: Partial<Experiments> = {
      see: async () => deciding,
      approveQuality: () => Promise.reject(new ClientError('refused', 'the quality gate asks nothing now')),
    };
    const ran = await run(['approve-quality', 'warmup', '--reason', 'r'], { calls });
    expect(ran).toMatchObject({ code: 4, err: 'the quality gate asks nothing now\n' });
  });
});

describe('start --pr', () => {
  const started = {
    status: 'started',
    id: 'warmup-cosine',
    workflowId: 'experiment/warmup-cosine',
    runId: 'r',
    url: 'http://ui',
  } as const;

  it.each(['lab/digits#7', 'https://github.example/lab/digits/pull/7'])('takes %s', async (pr) => {
    const asked: unknown[] = [];
    const startFromPullRequest: Experiments['startFromPullRequest'] = async (input) => {
      asked.push(input);
      return started;
    };
    const ran = await run(['start', '--pr', pr], { calls: { startFromPullRequest } });
    expect(ran).toMatchObject({ code: 0, out: /Started: warmup-cosine/ });
    expect(asked).toMatchObject([{ repository: 'lab/digits', number: 7, by: 'ann' }]);
  });

  it('exits 4 with the reason of a refusal', async () => {
    const refusal = new ClientError('refused', 'lab/digits#7 starts no experiment: it is a draft.');
    const calls: Partial<Experiments> = { startFromPullRequest: () => Promise.reject(refusal) };
    const ran = await run(['start', '--pr', 'lab/digits#7'], { calls });
    expect(ran).toMatchObject({ code: 4, err: /it is a draft/ });
  });
});

describe('watch', () => {
  it.each([
    ['completed', 'merged', 0],
    ['completed', 'rejected', 0],
    ['completed', 'stopped', 0],
    ['failed', 'failed', 1],
    ['terminated', 'terminated', 1],
    ['timed out', 'timed out', 1],
  ] as const)('ends with an experiment that is %s (%s) and exits %i', async (execution, phase, code) => {
    const see = async () => exampleSeen({ execution, phase });
    const ran = await run(['watch', 'warmup'], { calls: { see } });
    expect(ran.code).toBe(code);
    expect(ran.out).toContain(phase);
  });

  it('tells each change once', async () => {
    const way = [
      exampleSeen(),
      exampleSeen(),
      deciding,
      exampleSeen({ execution: 'completed', phase: 'merged' }),
    ];
    let look = 0;
    const see = async () => way[Math.min(look++, way.length - 1)] ?? deciding;
    const { out } = await run(['watch', 'warmup'], { calls: { see } });
    const lines = out
      .trim()
      .split('\n')
      .map((line) => line.slice('00:00:00 UTC  '.length));
    expect(lines).toEqual([
      'training: waiting for the jobs',
      'deciding: waiting for the jobs',
      expect.stringMatching(/^result: Better/),
      'merged: waiting for the jobs',
    ]);
  });

  it('outlives a Temporal that is away for a moment', async () => {
    let look = 0;
    const see = async () => {
      look += 1;
      if (look === 1) throw new ClientError('unreachable', 'Temporal is away.');
      return exampleSeen({ execution: 'completed', phase: 'merged' });
    };
    const ran = await run(['watch', 'warmup'], { calls: { see } });
    expect(ran).toMatchObject({ code: 0, err: expect.stringContaining('Temporal is away.') as string });
  });

  it('exits 130 on Ctrl-C', async () => {
    const interrupt = new AbortController();
    const see = async () => {
      queueMicrotask(() => interrupt.abort());
      return exampleSeen();
    };
    const ran = await run(['watch', 'warmup'], { calls: { see }, signal: interrupt.signal });
    expect(ran.code).toBe(130);
    expect(ran.err).toContain('goes on');
  });

  it('gives one JSON document at the end and its lines to standard error', async () => {
    const calls = { see: async () => exampleSeen({ execution: 'completed', phase: 'merged' }) };
    const ran = await run(['watch', 'warmup', '--json'], { calls });
    expect(JSON.parse(ran.out)).toMatchObject({ phase: 'merged' });
    expect(ran.err).toContain('merged');
  });
});

describe('list', () => {
  const listed = {
    id: 'warmup',
    execution: 'running',
    phase: 'training',
    repository: 'lab/digits',
    pullRequest: 'lab/digits#7',
    jobIds: ['job-1'],
    outcome: null,
    gpuHours: 1.25,
    startedAt: '2026-01-01T00:00:00.000Z',
    endedAt: '2026-01-01T03:30:00.000Z',
  } as const;

  it('is a table for people and a document for programs', async () => {
    const calls = { list: async () => [listed] };
    expect((await run(['list'], { calls })).out).toMatch(
      /warmup {2}training {2}3\.5 h {2}1\.25 {3}lab\/digits#7/,
    );
    expect(JSON.parse((await run(['list', '--json'], { calls })).out)).toEqual({ experiments: [listed] });
  });

  it('says how to begin when there is none', async () => {
    expect((await run(['list'], { calls: { list: async () => [] } })).out).toContain('hephaestus start');
  });
});
