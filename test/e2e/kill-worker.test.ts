import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { Octokit } from '@octokit/rest';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';

import { openExperiments, type Experiments } from '../../client/experiments.ts';
import type { ExperimentStatus } from '../../domain/experiment.ts';
import { commentMarker } from '../../domain/ids.ts';
import { processEnvironment } from '../../infra/env.ts';
import { startDemoWorld, type DemoWorld } from '../../infra/lab/demo/demo-world.ts';
import { demoIdea } from '../../infra/lab/demo/idea.ts';

/** In each of these the worker is killed once, with everything that it holds in memory. */
const deadly = ['implementing', 'freezing', 'submitting', 'training', 'recording'];

let directory: string;
let world: DemoWorld;
let experiments: Experiments;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hephaestus-kill-'));
  world = await startDemoWorld({ directory, tools: inject('tools'), environment: processEnvironment() });
  experiments = openExperiments(world.temporal);
});
afterAll(async () => {
  await experiments.close();
  await world.close();
  await rm(directory, { recursive: true, force: true });
});

/** Follows the experiment, kills the worker where it is deadly, and says merge when it is asked. */
async function play(): Promise<{ status: ExperimentStatus; killedIn: string[] }> {
  const killedIn: string[] = [];
  let worker = world.worker;
  let decided = false;
  for (;;) {
    // Between two workers nobody answers: what Temporal itself knows of the phase is enough then.
    const { phase, status, execution } = await experiments.see(demoIdea.id);
    if (execution !== 'running' && status !== null) {
      await worker.stop();
      return { status, killedIn };
    }
    if (deadly.includes(phase) && !killedIn.includes(phase)) {
      killedIn.push(phase);
      const died = worker.died.catch(() => undefined);
      process.kill(-worker.pid, 'SIGKILL');
      await died;
      worker = world.startWorker();
    }
    if (phase === 'deciding' && !decided && status?.evidence) {
      decided = true;
      await experiments.decide(demoIdea.id, { kind: 'merge', by: 'pi', head: status.evidence.headSha });
    }
    await delay(50);
  }
}

it('ends the same when its worker is killed in phase after phase, with nothing done twice', async () => {
  await experiments.start({
    id: demoIdea.id,
    source: { kind: 'idea', idea: demoIdea.idea, repository: 'lab/digits', base: 'main' },
    by: 'test',
    policy: {
      qizhiPollSeconds: 1,
      githubPollSeconds: 2,
      maxRepairs: 2,
      reviewDeadlineMinutes: 5,
      requiredChecks: [],
      requireCopilot: true,
      unknownDeadlineMinutes: 5,
    },
  });
  const { status, killedIn } = await play();
  expect(killedIn).toEqual(deadly);
  expect(status).toMatchObject({ phase: 'merged', failure: null });
  expect(status.evidence?.verdict.status).toBe('better');

  const jobs = await fetch(`${world.lab.qizhi.url}/_lab/jobs`).then(
    (answer) => answer.json() as Promise<{ request: { name: string }; status: string }[]>,
  );
  expect(jobs.map(({ request }) => request.name).toSorted()).toEqual([
    'hephaestus-warmup-cosine-a1-s0',
    'hephaestus-warmup-cosine-a1-s1',
  ]);
  expect(jobs.every((job) => job.status === 'job_succeeded')).toBe(true);

  const { GITHUB_API_URL = '', GITHUB_TOKEN = '' } = world.lab.settings;
  const octokit = new Octokit({ baseUrl: GITHUB_API_URL, auth: GITHUB_TOKEN });
  const repository = { owner: 'lab', repo: 'digits' };
  const { data: pulls } = await octokit.rest.pulls.list({ ...repository, state: 'all' });
  expect(pulls.map(({ merged_at }) => merged_at !== null)).toEqual([true]);
  const { data: main } = await octokit.rest.repos.getCommit({ ...repository, ref: 'main' });
  expect(main.sha).toBe(status.mergeSha);
  const { data: seeded } = await octokit.rest.repos.getCommit({
    ...repository,
    ref: main.parents[0]?.sha ?? '',
  });
  expect([main.parents.length, seeded.parents.length]).toEqual([1, 0]);
  const { data: comments } = await octokit.rest.issues.listComments({ ...repository, issue_number: 1 });
  expect(comments.filter(({ body }) => body?.includes(commentMarker(demoIdea.id)))).toHaveLength(1);

  const notes = await readdir(join(world.home, 'vault'));
  const names = notes.filter((name) => name.endsWith('.md')).toSorted();
  expect(names).toEqual([status.note?.path, 'experiments.md']);
}, 400_000);
