import { z } from 'zod';

/** How the server behaves for as long as it is told so; `PUT /_lab/settings` changes single ones, `DELETE` sets all back. */
export const Settings = z.strictObject({
  /** After this long without a heartbeat a run that never said how it ended counts as crashed. */
  crashedAfterSeconds: z.number().min(0).default(300),
  /** Row counts and last steps are told this late; the rows themselves are there at once. */
  lateCountSeconds: z.number().min(0).default(0),
  /** `file_stream` requests that each run may make in a second; null is no limit. W&B's own servers take 2. */
  requestsPerSecondPerRun: z.number().positive().nullable().default(null),
  /** Whether a history that is longer than asked for is thinned differently each time, and without its last row. */
  sampling: z
    .strictObject({ unstable: z.boolean().default(false), dropLast: z.boolean().default(false) })
    .prefault({}),
  /** Names of projects in which nothing may be written. */
  readOnlyProjects: z.array(z.string()).default([]),
  /** What `serverInfo.features` says is on, for example `STRUCTURED_CONSOLE_LOGS`. */
  features: z.array(z.string()).default([]),
});
export type Settings = z.infer<typeof Settings>;

/** Only what is to change. */
export const SettingsChange = z.strictObject({
  crashedAfterSeconds: Settings.shape.crashedAfterSeconds.removeDefault().optional(),
  lateCountSeconds: Settings.shape.lateCountSeconds.removeDefault().optional(),
  requestsPerSecondPerRun: Settings.shape.requestsPerSecondPerRun.removeDefault().optional(),
  sampling: Settings.shape.sampling.optional(),
  readOnlyProjects: Settings.shape.readOnlyProjects.removeDefault().optional(),
  features: Settings.shape.features.removeDefault().optional(),
});
