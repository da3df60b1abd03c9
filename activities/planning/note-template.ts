import { stringify } from 'yaml';

import { taskNoteSchema } from '../../domain/task-note.ts';

export interface TemplateInput {
  readonly id: string;
  readonly idea: string;
  readonly repository: string;
  readonly base: string;
}

/**
 * A task note to be filled in by hand, for whoever has no model. What is missing stands between < and >, in places where
 * the schema does not take it: a note that was not filled in is never started by mistake.
 */
export function noteTemplate({ id, idea, repository, base }: TemplateInput): string {
  const front = {
    schema: taskNoteSchema,
    id,
    title: idea.replaceAll(/\s+/g, ' ').slice(0, 200),
    hypothesis: '<what a number can settle: the metric, the direction and the size of the effect>',
    repository,
    base,
    change: { paths: ['<files or globs that the coding agent may touch>'] },
    environment: { python: '<3.11>', lock: 'uv.lock', interpreter: 'managed' },
    job: {
      command: 'python train.py --seed {seed}',
      image: '<image of the cluster>',
      image_type: '<SOURCE_PUBLIC, SOURCE_PRIVATE or SOURCE_OFFICIAL>',
      workspace_id: '<ws-…>',
      project_id: '<project-…>',
      logic_compute_group_id: '<lcg-…>',
      spec_id: '<spec of the group>',
      instance_count: 1,
      shm_gi: 32,
      priority: 4,
      max_hours: 12,
    },
    seeds: [0, 1, 2],
    wandb: { mode: 'offline', project: '<W&B project>' },
    metric: { name: '<as it is logged, for example val/loss>', goal: '<minimize or maximize>' },
    baseline: { experiment: '<id of the experiment to compare with>' },
    budget: { gpu_hours: 8, attempts: 3 },
  };
  return `---\n${stringify(front, { lineWidth: 0 })}---\n\n## Why\n\n${idea.trim()}\n\n## Change\n\n<what to change, file by file>\n\n## Acceptance\n\n<which number says that it worked>\n`;
}
