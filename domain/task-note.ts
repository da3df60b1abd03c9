import { z } from 'zod';

/** The version of the task note that this program reads and writes. */
export const taskNoteSchema = 'hephaestus/task/v1';

const identifier = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9-]{1,48})[a-z0-9]$/,
    'must match [a-z0-9-]{3,50} and neither begin nor end with "-"',
  );

/** A path inside the repository: relative, forward slashes, no way out. */
const repositoryPath = z
  .string()
  .min(1)
  .refine((path) => !path.startsWith('/') && !path.split('/').includes('..'), {
    error: 'must be a relative path inside the repository, without ".."',
  });

/** What git takes for a branch, and never for an option or a revision range. */
const branch = z
  .string()
  .regex(/^(?![-/.])(?!.*(?:\.\.|\/\/|@\{))[^\s~^:?*[\\]+(?<![/.])$/, 'must be the name of a branch')
  .max(200);

const Change = z.strictObject({
  paths: z.array(repositoryPath).min(1).describe('Globs of the files that the coding agent may touch'),
  check: z
    .string()
    .min(1)
    .max(2000)
    .refine((command) => !command.includes('\0'), { error: 'must not contain a NUL character' })
    .optional()
    .describe(
      'Tests or a smoke command, run by sh in the worktree before each commit; it must need no GPU and no network',
    ),
});

const EnvironmentSource = z
  .strictObject({
    python: z.string().regex(/^3\.\d{1,2}(\.\d{1,2})?$/, 'must be a Python version such as "3.11" (quoted)'),
    lock: repositoryPath.optional().describe('The uv.lock to build from'),
    requirements: repositoryPath.optional().describe('A requirements file with hashes, instead of a lock'),
    interpreter: z
      .union([
        z.literal('managed'),
        z.string().regex(/^\//, 'must be "managed" or an absolute path inside the image'),
      ])
      .default('managed'),
    glibc: z
      .string()
      .regex(/^2\.(?:17|28|3[1-9]|40)$/, 'must be "2.17", "2.28", or "2.31" to "2.40" (quoted)')
      .optional()
      .describe('glibc of the image, where it is older than that of the machine that freezes'),
    cuda_driver: z
      .string()
      .regex(/^\d{3}(?:\.\d{1,3}){0,2}$/, 'must be a driver version such as "535.104.05" (quoted)')
      .optional()
      .describe('NVIDIA driver of the nodes; packages for a CUDA that it is too old for are refused'),
  })
  .refine((environment) => (environment.lock === undefined) !== (environment.requirements === undefined), {
    error: 'must name exactly one of "lock" and "requirements"',
    path: ['lock'],
  });

const JobRequest = z.strictObject({
  command: z
    .string()
    .min(1)
    .refine((command) => !command.includes('\0'), { error: 'must not contain a NUL character' })
    .describe('Run after the environment is entered; {seed} is replaced'),
  image: z.string().min(1),
  image_type: z.enum(['SOURCE_PUBLIC', 'SOURCE_PRIVATE', 'SOURCE_OFFICIAL']),
  workspace_id: z.string().regex(/^ws-/, 'must begin with "ws-"'),
  project_id: z.string().regex(/^project-/, 'must begin with "project-"'),
  logic_compute_group_id: z.string().regex(/^lcg-/, 'must begin with "lcg-"'),
  spec_id: z.string().min(1),
  instance_count: z.int().min(1).default(1).describe('Nodes'),
  shm_gi: z.int().min(0).default(0).describe('Shared memory, GiB'),
  priority: z
    .int()
    .min(1)
    .max(10)
    .default(4)
    .describe('1 to 10, larger is more urgent; 1 to 3 can be preempted'),
  max_hours: z.number().positive().describe('Wall-clock limit of one job, hours'),
  max_restarts: z
    .int()
    .min(0)
    .max(10)
    .default(0)
    .describe(
      'How often the platform may start the whole job again after a fault; the command must then resume by itself',
    ),
});

const WandbTarget = z.strictObject({
  mode: z.literal('offline').default('offline'),
  project: z.string().regex(/^[A-Za-z0-9_.-]{1,128}$/, 'must be a W&B project name'),
  entity: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,128}$/, 'must be a W&B entity')
    .optional(),
  group: z.string().min(1).max(128).optional(),
});

const Metric = z.strictObject({
  name: z.string().min(1).describe('As it is logged to W&B, for example val/loss'),
  goal: z.enum(['minimize', 'maximize']),
});

const Baseline = z.union([
  z.strictObject({ experiment: identifier }),
  z.strictObject({ run: z.string().regex(/^[^/\s]+\/[^/\s]+\/[^/\s]+$/, 'must be entity/project/run-id') }),
  z.null(),
]);

const Budget = z.strictObject({
  gpu_hours: z.number().positive(),
  attempts: z.int().min(1).default(1),
});

/**
 * The structured task note, the front matter of `QWEN_TASK.md`: what Gemini CLI writes with the PI, and what
 * the workflow and Qwen Code work from. The published JSON Schema (`docs/task-note.schema.json`) is generated
 * from this one definition.
 */
export const TaskNote = z
  .strictObject({
    schema: z.literal(taskNoteSchema),
    id: identifier.describe('The experiment id'),
    title: z.string().min(3).max(200),
    hypothesis: z.string().min(3).max(2000),
    repository: z
      .string()
      .regex(/^(?!\.{1,2}\/)[A-Za-z0-9_.-]+\/(?!\.{1,2}$)[A-Za-z0-9_.-]+$/, 'must be owner/name'),
    base: branch.default('main').describe('The branch that the change is made against'),
    change: Change,
    environment: EnvironmentSource,
    job: JobRequest,
    seeds: z
      .array(z.int().min(0))
      .min(1)
      .max(32)
      .refine((seeds) => new Set(seeds).size === seeds.length, { error: 'must not repeat a seed' })
      .default([0])
      .describe('One job each'),
    wandb: WandbTarget,
    metric: Metric,
    baseline: Baseline.default(null),
    budget: Budget,
  })
  .refine((note) => note.seeds.length === 1 || /\{seed\}|HEPHAESTUS_SEED/.test(note.job.command), {
    error: 'must contain {seed} (or use $HEPHAESTUS_SEED), because the note asks for several seeds',
    path: ['job', 'command'],
  });

export type TaskNote = z.infer<typeof TaskNote>;
