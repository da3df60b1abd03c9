import type { TaskNote } from '../../domain/task-note.ts';

/** A valid task note; give what a test is about. */
export function exampleNote(overrides: Partial<TaskNote> = {}): TaskNote {
  return {
    schema: 'hephaestus/task/v1',
    id: 'warmup-cosine',
    title: 'Cosine warm-up lowers validation loss',
    hypothesis: 'A 10-step warm-up lowers validation loss by at least 2 % at equal compute.',
    repository: 'lab/digits',
    base: 'main',
    change: { paths: ['train.py', 'configs/**'] },
    environment: { python: '3.11', lock: 'uv.lock', interpreter: 'managed' },
    job: {
      command: 'python train.py --seed {seed}',
      image: 'docker.example/inspire-studio/ngc-pytorch:24.05',
      image_type: 'SOURCE_PUBLIC',
      workspace_id: 'ws-00000000-0000-4000-8000-000000000001',
      project_id: 'project-00000000-0000-4000-8000-000000000002',
      logic_compute_group_id: 'lcg-00000000-0000-4000-8000-000000000003',
      spec_id: '00000000-0000-4000-8000-000000000004',
      instance_count: 1,
      shm_gi: 32,
      priority: 6,
      max_restarts: 0,
      max_hours: 12,
    },
    seeds: [0, 1],
    wandb: { mode: 'offline', project: 'digits', entity: 'lab', group: 'warmup-cosine' },
    metric: { name: 'val/loss', goal: 'minimize' },
    baseline: { experiment: 'first-baseline' },
    budget: { gpu_hours: 8, attempts: 3 },
    ...overrides,
  };
}
