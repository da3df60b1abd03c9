/** A task note that is valid in every field; each test breaks what it is about. */
export function exampleNote(): Record<string, unknown> {
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
      workspace_id: 'ws-1',
      project_id: 'project-1',
      logic_compute_group_id: 'lcg-1',
      spec_id: '00000000-0000-0000-0000-000000000000',
      instance_count: 1,
      shm_gi: 32,
      priority: 6,
      max_hours: 12,
    },
    seeds: [0, 1, 2],
    wandb: { mode: 'offline', project: 'digits', entity: 'lab', group: 'warmup-cosine' },
    metric: { name: 'val/loss', goal: 'minimize' },
    baseline: { experiment: 'first-baseline' },
    budget: { gpu_hours: 8, attempts: 3 },
  };
}

/** The note with the value at a dotted path replaced; `undefined` removes it. */
export function noteWith(path: string, value: unknown): Record<string, unknown> {
  const note = exampleNote();
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  let inner = note;
  for (const key of keys) inner = inner[key] as Record<string, unknown>;
  if (value === undefined) Reflect.deleteProperty(inner, last);
  else inner[last] = value;
  return note;
}
