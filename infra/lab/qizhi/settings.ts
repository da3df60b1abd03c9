import { isDeepStrictEqual } from 'node:util';

import { z } from 'zod';

const ms = z.int().min(0);
const chance = z.number().min(0).max(1).default(0);
const priorityLevel = z.enum(['LOW', 'NORMAL', 'HIGH']);
export const ImageType = z.enum(['SOURCE_PUBLIC', 'SOURCE_PRIVATE', 'SOURCE_OFFICIAL']);

/** How the stand-in behaves; every value can be changed while it runs. Durations are ms unless the name says seconds. */
export const Settings = z.strictObject({
  token: z.strictObject({
    lifetimeSeconds: z.number().positive().default(604_800),
    /** How the login writes its answer: lifetime as a string or a number, or without the envelope. */
    shape: z.enum(['string', 'number', 'bare']).default('string'),
    /** How a token that is no longer good is told. */
    expired: z.enum(['code', '401', '302']).default('code'),
  }),
  account: z.strictObject({
    /** The account belongs to CAS: its right password is refused with `invalid_grant`. */
    cas: z.boolean().default(false),
    triesBeforeLock: z.int().min(1).default(5),
  }),
  /** `/api/v2`. It is a page that is not found unless it is enabled. */
  v2: z.strictObject({
    enabled: z.boolean().default(false),
    /** Which of them opens it: the token of `/auth/token`, the console's cookie, a Keycloak token. */
    credentials: z.array(z.enum(['token', 'cookie', 'keycloak'])).default(['cookie']),
    /** Without the header `x-inspire-client-source` it answers 302. */
    clientSource: z.boolean().default(true),
    list: z.boolean().default(false),
    totalAs: z.enum(['string', 'number']).default('string'),
    /** The cookie `inspire-session` and the Keycloak token that are good. */
    session: z.string().min(1).default('lab-session'),
    keycloakToken: z.string().min(1).default('lab-keycloak-token'),
  }),
  times: z.strictObject({
    creatingMs: ms.default(200),
    /** 0: the stage is passed over. */
    preCheckingMs: ms.default(0),
    /** How long a job queues at least. */
    queuingMs: ms.default(800),
    /** How long it may queue before it is put out of the queue; null for ever. */
    queueOutMs: ms.nullable().default(null),
    /** How long after its creation a job cannot be stopped yet. */
    conflictMs: ms.default(300),
    /** How long a job may take to end after it was told to, before it is killed. */
    graceMs: ms.default(10_000),
    /** How long a job is `job_restarting` at least. */
    restartingMs: ms.default(200),
  }),
  cluster: z.strictObject({
    gpus: z.int().min(0).default(8),
    /** Only a number in what the scheduler says. */
    nodes: z.int().min(1).default(680),
    /** How a job ends whose `max_running_time_ms` has passed; no source tells. */
    timeLimitEnds: z.enum(['job_stopped', 'job_failed']).default('job_stopped'),
  }),
  create: z.strictObject({
    /** The highest priority that the project may ask for. */
    priorityCap: z.int().min(1).max(10).default(10),
    /** GPUs of the project that may run, and that may be submitted and not ended; null without limit. */
    quota: z
      .strictObject({ runGpus: z.int().min(0), submitGpus: z.int().min(0) })
      .nullable()
      .default(null),
    /** The compute groups that exist; null: every well-formed one. */
    groups: z.array(z.string()).nullable().default(null),
    /** GPUs of a node by `spec_id`, the groups that have it, the priority levels it allows. One that is not here has one GPU. */
    specs: z
      .record(
        z.string(),
        z.strictObject({
          gpus: z.int().min(0),
          groups: z.array(z.string()).optional(),
          levels: z.array(priorityLevel).optional(),
        }),
      )
      .default({}),
    /** The images that exist and their visibility; null: every well-formed one. */
    images: z.record(z.string(), ImageType).nullable().default(null),
    /** When an image that does not exist is noticed: by create, or never but in the events of a job that cannot start. */
    unknownImage: z.enum(['refused', 'pulled']).default('refused'),
  }),
  /** What is added to every time that it tells, headers included. */
  clock: z.strictObject({ skewMs: z.int().default(0) }),
  /** New jobs are only told of: nothing is run, they end with `exitCode` after `runMs`. */
  dry: z
    .strictObject({ runMs: ms.default(3_600_000), exitCode: z.int().default(0) })
    .nullable()
    .default(null),
  /** What new jobs meet by chance, within `withinMs` after they have begun to run (or, for the last three, instead). */
  draws: z.strictObject({
    seed: z.int().default(1),
    withinMs: z.int().min(1).default(10_000),
    preempt: chance,
    evict: chance,
    restart: chance,
    nodeLoss: chance,
    queueOut: chance,
    createFailed: chance,
    preCheckFailed: chance,
  }),
});
export type Settings = z.infer<typeof Settings>;

/** Some values of some sections. */
export type SettingsChange = { readonly [S in keyof Settings]?: Partial<Settings[S]> | null };

const sections = Object.keys(Settings.shape) as (keyof Settings)[];
const Change = z.strictObject(Object.fromEntries(sections.map((name) => [name, z.unknown().optional()])));

export interface LiveSettings {
  readonly current: Settings;
  /** Takes a change, of which sections that are not named keep their values. Throws `ZodError`. */
  change(change: unknown): Settings;
  /** Back to those of the start. */
  reset(): Settings;
  /** What differs from those of the start, each as `section.name = value`. */
  changes(): readonly string[];
}

/** Throws `ZodError` where the change is not one. */
export function createSettings(start: SettingsChange = {}): LiveSettings {
  const empty = Object.fromEntries(sections.map((name) => [name, name === 'dry' ? null : {}]));
  const first = merge(Settings.parse(empty), start);
  let current = first;
  return {
    get current() {
      return current;
    },
    change: (change) => (current = merge(current, change)),
    reset: () => (current = first),
    changes: () =>
      sections.flatMap((section) => {
        const before: Record<string, unknown> = { ...first[section] };
        const now = Object.entries(current[section] ?? {});
        if (current[section] === null && first[section] !== null) return [`${section} = null`];
        return now
          .filter(([name, value]) => !isDeepStrictEqual(value, before[name]))
          .map(([name, value]) => `${section}.${name} = ${JSON.stringify(value)}`);
      }),
  };
}

function merge(settings: Settings, change: unknown): Settings {
  const given = Object.entries(Change.parse(change)).filter(([, value]) => value !== undefined);
  const merged = given.map(([name, value]) => [name, mergeSection(settings[name as keyof Settings], value)]);
  return Settings.parse({ ...settings, ...Object.fromEntries(merged) });
}

/** What is no object of values (null, or wrong) is left to the schema. */
function mergeSection(section: object | null, value: unknown): unknown {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? { ...section, ...value }
    : value;
}
