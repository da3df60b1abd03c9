/** The phases of an experiment in the order of its way; the names are part of the public contract. */
export const phases = [
  'planning',
  'implementing',
  'freezing',
  'proposing',
  'reviewing',
  'submitting',
  'queued',
  'training',
  'syncing',
  'reporting',
  'deciding',
  'merging',
  'recording',
] as const;
export type Phase = (typeof phases)[number];

/** How an experiment ends. */
export const outcomes = ['merged', 'rejected', 'stopped', 'failed'] as const;
export type Outcome = (typeof outcomes)[number];
