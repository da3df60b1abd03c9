import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { Worker, type WorkflowBundleOption } from '@temporalio/worker';
import { beforeAll, describe, expect, it } from 'vitest';

import { quietRuntime, bundledWorkflows } from '../support/temporal-environment.ts';
import { experimentShapes } from './experiment-shapes.ts';

const directory = join(import.meta.dirname, 'histories');

/**
 * Every shape of experiment that was ever recorded: by the present version, and in a folder for each release that went out. Red means: experiments that are running now would break. Mend the
 * workflow (`patched`), do not record anew.
 */
const recorded = (await readdir(directory, { recursive: true }))
  .filter((name) => name.endsWith('.json'))
  .toSorted();

let workflowBundle: WorkflowBundleOption;
beforeAll(async () => {
  quietRuntime();
  workflowBundle = await bundledWorkflows();
});

it('keeps a history of every workflow, and of every way that an experiment can go', async () => {
  const exported = await readFile(join(import.meta.dirname, '..', '..', 'workflows', 'index.ts'), 'utf8');
  const types = new Set(exported.match(/\w+Workflow\b/g));
  expect(new Set(recorded.map((name) => name.split('.')[1]))).toEqual(types);
  const ways = ['merged', ...Object.keys(experimentShapes)];
  expect(recorded).toEqual(expect.arrayContaining(ways.map((way) => `${way}.ExperimentWorkflow.json`)));
});

describe.each(recorded)('%s', (name) => {
  it('replays on the workflows of today', async () => {
    const history = JSON.parse(await readFile(join(directory, name), 'utf8')) as { events: unknown[] };
    // A history that was cut short would replay without proving anything.
    expect(history.events.length).toBeGreaterThan(/SyncRun|StrayRun|Deliver/.test(name) ? 5 : 10);
    await Worker.runReplayHistory({ workflowBundle }, history, `replay/${name}`);
  });

  it('names no machine', async () => {
    const text = await readFile(join(directory, name), 'utf8');
    expect(text).not.toMatch(/"identity"|\/root\/|\/home\/|\/Users\//);
  });
});

it('notices a workflow that does something else than what was recorded', async () => {
  const text = await readFile(join(directory, 'rejected.ExperimentWorkflow.json'), 'utf8');
  const changed = JSON.parse(text.replaceAll('freezeEnvironment', 'thawEnvironment')) as object;
  await expect(Worker.runReplayHistory({ workflowBundle }, changed, 'replay/changed')).rejects.toThrow();
});
