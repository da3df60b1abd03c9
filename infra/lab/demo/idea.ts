import type { TaskNote } from '../../../domain/task-note.ts';

/** One exact replacement in a file of the experiment's repository. */
interface IdeaEdit {
  readonly path: string;
  readonly oldText: string;
  readonly newText: string;
}

interface IdeaFile {
  readonly path: string;
  readonly content: string;
}

/** What the scripted models answer: the task note that Gemini CLI writes, and the change that Qwen Code makes. */
export interface DemoIdea {
  readonly id: string;
  /** In the PI's words. */
  readonly idea: string;
  readonly edits: readonly IdeaEdit[];
  readonly newFiles: readonly IdeaFile[];
  /** Front matter of the task note; the demo puts its own interpreter into `environment`. */
  readonly note: TaskNote;
  /** The Markdown below the front matter. */
  readonly body: string;
  /** What the coding agent says when it has finished. */
  readonly summary: string;
}

const oldRate = `def learning_rate(config, step, steps):
    """The rate for one step out of all steps."""
    return config["learning_rate"]
`;

const newRate = `def learning_rate(config, step, steps):
    """The rate for one step out of all steps: constant, or a linear warm-up and then half a cosine down to zero."""
    peak = config["learning_rate"]
    if config.get("schedule", "constant") == "constant":
        return peak
    warmup = config["warmup_fraction"] * steps
    if step < warmup:
        return peak * min(1.0, (step + 1) / warmup)
    progress = (step - warmup) / (steps - warmup)
    return peak * 0.5 * (1.0 + float(np.cos(np.pi * progress)))
`;

const newConfig = `{
  "epochs": 40,
  "batch_size": 32,
  "hidden": 64,
  "learning_rate": 0.4,
  "schedule": "warmup-cosine",
  "warmup_fraction": 0.1,
  "epoch_seconds": 0.4
}
`;

const note: TaskNote = {
  schema: 'hephaestus/task/v1',
  id: 'warmup-cosine',
  title: 'Warm-up and cosine decay lower the validation loss of digits',
  hypothesis:
    'A linear warm-up to a twenty times larger learning rate, then a cosine decay to zero, lowers val/loss by at least 30 % at equal compute.',
  repository: 'lab/digits',
  base: 'main',
  change: { paths: ['train.py', 'configs/**'] },
  environment: { python: '3.11', lock: 'uv.lock', interpreter: 'managed' },
  job: {
    command: 'python train.py --config configs/warmup-cosine.json --seed {seed}',
    image: 'docker.lab/inspire-studio/ngc-pytorch:24.05',
    image_type: 'SOURCE_PUBLIC',
    workspace_id: 'ws-9dcc0e1f-80a4-4af2-bc2f-0e352e7b17e6',
    project_id: 'project-52d5c1f0-8b7e-4f0a-9a3e-4d1f6f9b2c11',
    logic_compute_group_id: 'lcg-4f3b7a52-1a5d-4f57-8a53-2a0c4f6f7d10',
    spec_id: '4dd0e854-e2a4-4253-95e6-64c13f0b5117',
    instance_count: 1,
    shm_gi: 8,
    priority: 6,
    max_restarts: 0,
    max_hours: 1,
  },
  seeds: [0, 1],
  wandb: { mode: 'offline', project: 'digits', entity: 'lab', group: 'warmup-cosine' },
  metric: { name: 'val/loss', goal: 'minimize' },
  baseline: { experiment: 'first-baseline' },
  budget: { gpu_hours: 2, attempts: 3 },
};

/** The demo's experiment on `examples/digits`. */
export const demoIdea: DemoIdea = {
  id: note.id,
  idea: 'The loss of digits is still falling when training ends. Would a warm-up to a much larger learning rate, followed by a cosine decay, get further in the same number of steps?',
  edits: [{ path: 'train.py', oldText: oldRate, newText: newRate }],
  newFiles: [{ path: 'configs/warmup-cosine.json', content: newConfig }],
  note,
  body: `## Why

The baseline's constant learning rate of 0.02 is small enough to be safe from the first step, and too small to finish:
its validation loss is still falling in the last epoch.

## Change

- \`learning_rate\` in \`train.py\` learns a schedule \`warmup-cosine\`: linear from zero to the peak over the first tenth of
  all steps, then half a cosine down to zero. Without \`schedule\` in the configuration the rate stays constant.
- \`configs/warmup-cosine.json\`: the baseline with a peak of 0.4 and this schedule. Epochs, batch size and network stay; an epoch takes at
  least 0.4 s, so that its curves can be watched as they grow.

## Acceptance

Final \`val/loss\` below the baseline's by more than the noise between seeds, at the same number of epochs.
`,
  summary:
    'The learning rate can now follow a linear warm-up and a cosine decay; configs/warmup-cosine.json uses it with a peak of 0.4. Runs without a schedule are unchanged.',
};
