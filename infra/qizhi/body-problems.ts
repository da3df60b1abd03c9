import { z } from 'zod';

import type { CreateJobBody } from './job-body.ts';

const shortestMs = 1000;
const longestMs = 366 * 24 * 3_600_000;

function id(prefix: string) {
  return z.string().regex(new RegExp(`^${prefix}[\\w-]+$`), `expected an id that begins with "${prefix}"`);
}

const oneWord = z.string().regex(/^[\x21-\x7e]+$/, 'expected printable ASCII without blanks');

/** What the platform is known to refuse, and what it takes and chokes on later. */
const Limits = z.object({
  name: z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/,
      'expected 1 to 128 of A-Z a-z 0-9 . _ - and a letter or digit first',
    ),
  logic_compute_group_id: id('lcg-'),
  project_id: id('project-'),
  workspace_id: id('ws-'),
  command: z
    .string()
    .min(1, 'expected a command')
    .refine((command) => !command.includes('\0'), 'expected no NUL character')
    .refine((command) => Buffer.byteLength(command) <= 65_536, 'expected at most 64 KiB'),
  task_priority: z
    .int('expected a whole number')
    .min(1, 'expected 1 to 10, larger is more urgent')
    .max(10, 'expected 1 to 10, larger is more urgent'),
  fault_tolerance_max_retry: z.int().min(1, 'expected 1 to 10').max(10, 'expected 1 to 10').optional(),
  max_running_time_ms: z
    .string()
    .regex(/^\d+$/, 'expected a positive number of milliseconds (job.max_hours)')
    .refine((text) => Number(text) >= shortestMs, 'expected at least a second (job.max_hours)')
    .refine((text) => Number(text) <= longestMs, 'expected at most 366 days (job.max_hours)'),
  envs: z.array(z.object({ name: z.string().regex(/^[A-Za-z_]\w*$/), value: z.string() })),
  framework_config: z.tuple([
    z.object({
      // A short name is pulled from Docker Hub, which the cluster cannot reach, and fails hours later.
      image: oneWord.regex(
        /^(?:[\w-]+(?:\.[\w-]+)+(?::\d+)?|[\w-]+:\d+)\/[^/].*$/,
        'expected the whole reference with its registry, for example registry.example/team/image:tag',
      ),
      image_type: z.enum(['SOURCE_PUBLIC', 'SOURCE_PRIVATE', 'SOURCE_OFFICIAL']),
      instance_count: z.int('expected a whole number').min(1, 'expected at least 1'),
      shm_gi: z.number('expected a number of GiB').min(0, 'expected 0 or more'),
      spec_id: oneWord,
    }),
  ]),
});

/** Everything in the request that cannot go well, one sentence each: the field, what stands there, what is expected. */
export function findBodyProblems(body: CreateJobBody): string[] {
  const { error } = Limits.safeParse(body);
  return (error?.issues ?? []).map(({ path, message }) => {
    const field = path.map(String).join('.').replace('framework_config.0.', '');
    return `${field}: found ${shown(valueAt(body, path))}, ${message}`;
  });
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, key) : undefined),
    value,
  );
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}
