import { expect, it } from 'vitest';

import { jobBody } from '../../../../infra/qizhi/job-body.ts';
import { validateCreate } from '../../../../infra/lab/qizhi/validate-create.ts';
import { exampleNote } from '../../../support/example-note.ts';

it('is the request that the platform takes, key by key', () => {
  const body = jobBody(exampleNote().job, 'hephaestus-warmup-cosine-a1-s0', 'sh /shared/start.sh');
  expect(JSON.stringify(body, null, 2)).toBe(`{
  "name": "hephaestus-warmup-cosine-a1-s0",
  "logic_compute_group_id": "lcg-00000000-0000-4000-8000-000000000003",
  "project_id": "project-00000000-0000-4000-8000-000000000002",
  "workspace_id": "ws-00000000-0000-4000-8000-000000000001",
  "framework": "pytorch",
  "command": "sh /shared/start.sh",
  "task_priority": 6,
  "auto_fault_tolerance": false,
  "max_running_time_ms": "43200000",
  "framework_config": [
    {
      "image": "docker.example/inspire-studio/ngc-pytorch:24.05",
      "image_type": "SOURCE_PUBLIC",
      "instance_count": 1,
      "shm_gi": 32,
      "spec_id": "00000000-0000-4000-8000-000000000004"
    }
  ]
}`);
  expect(validateCreate(body, JSON.stringify(body))).toBeUndefined();
});

it('writes the longest running time as whole milliseconds', () => {
  const body = jobBody({ ...exampleNote().job, max_hours: 0.1 + 0.2 }, 'name', 'true');
  expect(body.max_running_time_ms).toBe('1080000');
});
