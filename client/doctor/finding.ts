/** What `doctor` looks at, in the order in which it is told. */
export const systems = [
  'configuration',
  'home',
  'tools',
  'temporal',
  'github',
  'qizhi',
  'wandb',
  'models',
  'disk',
  'clock',
] as const;
export type System = (typeof systems)[number];

/** - `good`
 * - `warning`: works, and will be trouble some day
 * - `bad`: does not work, and a person has to mend it
 * - `unreachable`: gave no answer that counts
 * - `skipped`: not configured here
 */
export type FindingStatus = 'good' | 'warning' | 'bad' | 'unreachable' | 'skipped';

export interface Finding {
  readonly system: System;
  readonly status: FindingStatus;
  /** What was found, with the value. */
  readonly what: string;
  /** Why that matters; '' where all is well. */
  readonly why: string;
  /** What to do; '' where there is nothing to do. */
  readonly todo: string;
}

/** Looks at one system, read-only; must end soon after the signal. What it throws becomes a finding. */
export interface Check {
  readonly system: System;
  readonly look: (signal: AbortSignal) => Promise<readonly Finding[]>;
}

export function good(system: System, what: string): Finding {
  return { system, status: 'good', what, why: '', todo: '' };
}
