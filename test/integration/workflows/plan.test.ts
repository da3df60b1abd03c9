import { afterAll, beforeAll, expect, inject, it } from 'vitest';

import { queues, remarkSignal, decisionSignals, materialQuery } from '../../../workflows/contract.ts';
import type { PlanWorkflow } from '../../../workflows/index.ts';
import type { PlanAnswer, PlanRequest } from '../../../workflows/plan-workflow.ts';
import { exampleNote } from '../../support/example-note.ts';
import { reaches } from '../../support/follow-experiment.ts';
import { failsWith, scriptedWorld } from '../../support/scripted-activities.ts';
import {
  startExperiment,
  startTemporalEnvironment,
  statusOf,
  withWorld,
  type TemporalEnvironment,
} from '../../support/temporal-environment.ts';

let temporal: TemporalEnvironment;
beforeAll(async () => {
  temporal = await startTemporalEnvironment(inject('tools').temporal);
});
afterAll(() => temporal.close());

const place = { id: 'planned', repository: 'lab/digits', base: 'main' };

function plan(request: PlanRequest): Promise<PlanAnswer> {
  return temporal.client.workflow.execute<typeof PlanWorkflow>('PlanWorkflow', {
    workflowId: `plan/${request.id}/${Math.random()}`,
    taskQueue: queues.experiments,
    args: [request],
  });
}

it('what W&B says against the metric goes back to the planner', async () => {
  const metrics = ['train/loss', 'val/acc'];
  const world = scriptedWorld({
    describeBaseline: async () => ({ name: 'first-baseline', runs: 3, metrics }),
    planTaskNote: async ({ experimentId, previous }) => {
      const metric = previous ? { name: 'val/acc', goal: 'maximize' as const } : exampleNote().metric;
      return { note: exampleNote({ id: experimentId, metric }), body: '', tokens: 1 };
    },
  });
  await withWorld(temporal, world, async () => {
    const answer = await plan({ ...place, kind: 'write', idea: 'x', previous: null });
    expect(answer.note.metric.name).toBe('val/acc');
  });
  const plans = world.calls.filter(({ name }) => name === 'planTaskNote').map(({ input }) => input);
  expect(plans).toMatchObject([{ previous: null }, { previous: { problems: [{ path: 'metric.name' }] } }]);
});

it('a note is checked without being written, and a W&B that is away hinders neither', async () => {
  const problem = { path: 'job.command', value: '"x.py"', expected: 'a file' };
  const world = scriptedWorld({
    describeBaseline: failsWith('WandbUnauthorized', 'the key was refused'),
    checkPlan: async () => [problem],
  });
  await withWorld(temporal, world, async () => {
    const answer = await plan({ ...place, kind: 'check', note: { note: exampleNote(), body: '' } });
    expect(answer.problems).toEqual([problem]);
  });
  expect(world.calls.map(({ name }) => name)).not.toContain('planTaskNote');
});

it('Qwen Code is asked to open the pull request, whatever it does it is looked for; what was said reaches the note', async () => {
  const world = scriptedWorld({ openByAgent: failsWith('AgentFailed', 'it would not') });
  await withWorld(temporal, world, async () => {
    const handle = await startExperiment(temporal.client, { policy: { pullRequestBy: 'qwen' } });
    await reaches(handle, 'deciding');
    const remark = {
      by: 'ann',
      at: '2026-01-01T00:00:00Z',
      question: 'Why?',
      answer: 'So.',
      answeredBy: 'Gemini CLI',
    };
    await handle.signal(remarkSignal, remark);
    await handle.signal(remarkSignal);
    expect(await handle.query(materialQuery)).toMatchObject({
      status: { remarks: [remark] },
      note: { id: expect.any(String) as string },
    });
    expect((await statusOf(handle)).changes).toMatchObject([
      { round: 0, kind: 'first', summary: 'a schedule' },
    ]);
    await handle.signal(decisionSignals.reject);
    await handle.result();
    const note = world.calls.find(({ name }) => name === 'writeNote');
    expect(note?.input).toMatchObject({ remarks: [remark] });
  });
  const names = world.calls.map(({ name }) => name);
  expect(names.indexOf('openByAgent')).toBeGreaterThan(-1);
  expect(names.indexOf('openPullRequest')).toBeGreaterThan(names.indexOf('openByAgent'));
});
