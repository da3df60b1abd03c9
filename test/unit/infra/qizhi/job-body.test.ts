import { readFile } from 'node:fs/promises';

import { describe, expect, it } from 'vitest';

import type { TaskNote } from '../../../../domain/task-note.ts';
import { validateCreate } from '../../../../infra/lab/qizhi/validate-create.ts';
import { jobBody } from '../../../../infra/qizhi/job-body.ts';
import { exampleNote } from '../../../support/example-note.ts';

function bodyOf(changes: Partial<TaskNote['job']> = {}, command = 'sh /shared/start.sh') {
  return jobBody({
    experimentId: 'warmup-cosine',
    attempt: 1,
    seed: 0,
    job: { ...exampleNote().job, ...changes },
    command,
  });
}

describe('jobBody', () => {
  it.each<[golden: string, changes: Partial<TaskNote['job']>]>([
    ['plain', {}],
    ['restarts', { max_restarts: 3, instance_count: 4, max_hours: 300, shm_gi: 0, priority: 10 }],
    ['private-image', { image: 'registry.example:5000/team/train:1.2', image_type: 'SOURCE_PRIVATE' }],
  ])('is the request that the platform takes, key by key: %s', async (golden, changes) => {
    const body = bodyOf(changes);
    await expect(`${JSON.stringify(body, null, 2)}\n`).toMatchFileSnapshot(`golden/${golden}.json`);
    for (const surface of ['openapi', 'v2'] as const) {
      expect(validateCreate(body, JSON.stringify(body), surface)).toBeUndefined();
    }
  });

  it('has golden files that hold to the rules of the platform', async () => {
    const path = new URL('golden/restarts.json', import.meta.url);
    const golden = JSON.parse(await readFile(path, 'utf8')) as ReturnType<typeof jobBody>;
    expect(golden).toMatchObject({
      auto_fault_tolerance: true,
      fault_tolerance_max_retry: 3,
      max_running_time_ms: '1080000000',
    });
    expect(Object.keys(golden.framework_config[0]).toSorted()).toEqual([
      'image',
      'image_type',
      'instance_count',
      'shm_gi',
      'spec_id',
    ]);
    expect(golden.envs.every((env) => Object.keys(env).join() === 'name,value')).toBe(true);
  });

  it('writes the longest running time as whole milliseconds', () => {
    expect(bodyOf({ max_hours: 0.1 + 0.2 }).max_running_time_ms).toBe('1080000');
  });

  it('takes a note from before there were restarts', () => {
    const { max_restarts: _none, ...old } = exampleNote().job;
    expect(bodyOf(old)).toMatchObject({ auto_fault_tolerance: false });
    const body = jobBody({
      experimentId: 'old',
      attempt: 1,
      seed: 0,
      job: old as TaskNote['job'],
      command: 'true',
    });
    expect(body).toMatchObject({ auto_fault_tolerance: false });
    expect(body).not.toHaveProperty('fault_tolerance_max_retry');
  });

  it.each<[field: string, changes: Partial<TaskNote['job']>]>([
    ['task_priority', { priority: 0 }],
    ['task_priority', { priority: 11 }],
    ['task_priority', { priority: 2.5 }],
    ['instance_count', { instance_count: 0 }],
    ['shm_gi', { shm_gi: -1 }],
    ['max_running_time_ms', { max_hours: 0 }],
    ['max_running_time_ms', { max_hours: -1 }],
    ['max_running_time_ms', { max_hours: 0.0001 }],
    ['max_running_time_ms', { max_hours: 9000 }],
    ['max_running_time_ms', { max_hours: Number.POSITIVE_INFINITY }],
    ['fault_tolerance_max_retry', { max_restarts: 11 }],
    ['workspace_id', { workspace_id: 'workspace-1' }],
    ['project_id', { project_id: 'project-' }],
    ['logic_compute_group_id', { logic_compute_group_id: 'group 1' }],
    ['spec_id', { spec_id: '' }],
    ['image', { image: 'pytorch:latest' }],
    ['image', { image: 'docker.example/team/image with blank' }],
  ])('is not made of a wrong %s: %j', (field, changes) => {
    expect(() => bodyOf(changes)).toThrow(new RegExp(`^  ${field}: found .*, expected `, 'm'));
  });

  it('tells everything that is wrong at once', () => {
    const failure = (() => {
      try {
        return jobBody({
          experimentId: 'Größe'.repeat(40),
          attempt: 1,
          seed: 0,
          job: { ...exampleNote().job, priority: 11, shm_gi: -1 },
          command: '',
        });
      } catch (error) {
        return error as Error;
      }
    })();
    expect(failure).toMatchObject({ type: 'QizhiInvalid', retry: false });
    const lines = (failure as Error).message.split('\n').slice(1);
    expect(lines.map((line) => line.trim().split(':')[0])).toEqual([
      'name',
      'command',
      'task_priority',
      'shm_gi',
    ]);
  });
});
