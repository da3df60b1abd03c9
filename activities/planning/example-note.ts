import { formatTaskNote } from '../../domain/task-note-text.ts';

/** A complete note of another experiment: what a note looks like, with every field that is usually needed. */
export const exampleNote = formatTaskNote({
  note: {
    schema: 'hephaestus/task/v1',
    id: 'label-smoothing',
    title: 'Label smoothing lowers validation loss',
    hypothesis: 'Label smoothing of 0.1 lowers val/loss by at least 2 % at equal compute.',
    repository: 'example/classifier',
    base: 'main',
    change: { paths: ['train.py', 'configs/**'] },
    environment: { python: '3.11', lock: 'uv.lock', interpreter: 'managed' },
    job: {
      command: 'python train.py --config configs/smoothing.yaml --seed {seed}',
      image: 'docker.example/inspire-studio/ngc-pytorch:24.05',
      image_type: 'SOURCE_PUBLIC',
      workspace_id: 'ws-00000000-0000-0000-0000-000000000000',
      project_id: 'project-00000000-0000-0000-0000-000000000000',
      logic_compute_group_id: 'lcg-00000000-0000-0000-0000-000000000000',
      spec_id: '00000000-0000-0000-0000-000000000000',
      instance_count: 1,
      shm_gi: 32,
      priority: 6,
      max_restarts: 0,
      max_hours: 12,
    },
    seeds: [0, 1, 2],
    wandb: { mode: 'offline', project: 'classifier', group: 'label-smoothing' },
    metric: { name: 'val/loss', goal: 'minimize' },
    baseline: { experiment: 'first-baseline' },
    budget: { gpu_hours: 8, attempts: 3 },
  },
  body: `
## Why

The model is sure of itself where it is wrong: the training loss goes to zero while the validation loss rises.

## Change

- \`train.py\`: the loss takes \`label_smoothing\` from the configuration, 0 when it is not there.
- \`configs/smoothing.yaml\`: the baseline's configuration with a smoothing of 0.1.

## Acceptance

Final val/loss below the baseline's by more than the noise between seeds.
`,
});
