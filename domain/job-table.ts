import type { JobOutcome, JobState } from './job.ts';

/** What the platform is taken to say: its state, or what more is known of an end. */
export const platformWords = [
  'unasked',
  'pending',
  'queued',
  'running',
  'restarting',
  'stopping',
  'unknown',
  'gone',
  'succeeded',
  'failed',
  'stopped',
  'evicted',
  'over-time',
  'queue-out',
  'not-started',
] as const satisfies readonly (JobState | 'unasked' | 'evicted' | 'over-time')[];
export type PlatformWord = (typeof platformWords)[number];

/**
 * What the job's own records say. `nothing`: no job claimed the attempt. `alive` and `silent`: claimed, and the heartbeat
 * moves or does not. `told`: ended because it was told to. `refused`: the start script did not let it train.
 */
export const recordWords = [
  'nothing',
  'alive',
  'silent',
  'told',
  'done',
  'failed',
  'refused',
  'displaced',
] as const;
export type RecordWord = (typeof recordWords)[number];

export type Cell =
  | { readonly status: 'wait'; readonly phase: 'queued' | 'training'; readonly sentence: string }
  | { readonly status: 'ended'; readonly outcome: JobOutcome; readonly sentence: string };

const queued = (sentence: string): Cell => ({ status: 'wait', phase: 'queued', sentence });
const training = (sentence: string): Cell => ({ status: 'wait', phase: 'training', sentence });
const ended = (outcome: JobOutcome, sentence: string): Cell => ({ status: 'ended', outcome, sentence });

/** What the process itself saw of its own end cannot be outvoted. */
const ownEnd = {
  done: ended('succeeded', 'the job wrote that it ended with code 0'),
  failed: ended('failed', 'the command ended with code {code}'),
  refused: ended('refused', '{ownReason}'),
  displaced: ended('displaced', 'the job found the attempt claimed by another job and left without training'),
} as const;

const silence = 'its heartbeat has stood still for a while: its node may hang';

/**
 * Every pair of what the two witnesses say. Three rules stand behind it: the job's own record of its end comes first;
 * not being able to ask is never an end; and success needs a witness on the disk, because the platform has been seen to
 * say it of jobs in which nothing was run. `{status}`, `{reason}`, `{code}` and `{ownReason}` are filled in.
 */
export const jobTable: Readonly<Record<PlatformWord, Readonly<Record<RecordWord, Cell>>>> = {
  unasked: {
    ...ownEnd,
    nothing: queued('the platform has not been reached yet'),
    alive: training('the job has begun; the platform has not been reached yet'),
    silent: training(`the platform has not been reached, and ${silence}`),
    told: training('the job was told to end and did; the platform has not been reached to tell why'),
  },
  pending: {
    ...ownEnd,
    nothing: queued('the platform says {status}{reason}'),
    alive: training('the job has begun; the platform still shows {status}'),
    silent: queued(`the platform says {status}{reason}, and ${silence}`),
    told: queued(
      'the job was told to end; the platform shows {status}: it will start again under its own id',
    ),
  },
  queued: {
    ...ownEnd,
    nothing: queued('the platform says {status}{reason}'),
    alive: training('the job has begun; the platform shows {status}: late, or the job is being queued again'),
    silent: queued('the platform took the job off its nodes and queued it again ({status}{reason})'),
    told: queued('the platform took the job off its nodes and queued it again ({status}{reason})'),
  },
  running: {
    ...ownEnd,
    nothing: training('the platform says {status}; the job has not written anything yet'),
    alive: training('the platform says {status}'),
    silent: training(`the platform says {status}, but ${silence}`),
    told: training('the job was told to end and did; the platform still shows {status}'),
  },
  restarting: {
    ...ownEnd,
    nothing: queued('the platform starts the job again ({status}{reason})'),
    alive: queued('the platform starts the job again ({status}{reason})'),
    silent: queued('the platform starts the job again ({status}{reason})'),
    told: queued('the platform starts the job again ({status}{reason})'),
  },
  stopping: {
    ...ownEnd,
    nothing: training('the platform is stopping the job ({status})'),
    alive: training('the platform is stopping the job ({status})'),
    silent: training('the platform is stopping the job ({status})'),
    told: training('the job was told to end and did; the platform is still stopping it'),
  },
  unknown: {
    ...ownEnd,
    nothing: queued('the platform says "{status}", which is not known here'),
    alive: training('the job goes on; the platform says "{status}", which is not known here'),
    silent: training(`the platform says "{status}", which is not known here, and ${silence}`),
    told: training('the job was told to end and did; the platform says "{status}", which is not known here'),
  },
  gone: {
    ...ownEnd,
    nothing: ended('lost', 'the platform does not know the job, and it never began'),
    alive: training('the job goes on by its own records; the platform does not know it'),
    silent: ended('lost', 'the platform does not know the job any more, and its heartbeat has stopped'),
    told: ended('stopped', 'the job was told to end, and the platform does not know it any more'),
  },
  succeeded: {
    ...ownEnd,
    nothing: ended(
      'not-started',
      'the platform says {status}, but no job claimed the attempt: nothing was run',
    ),
    alive: ended('succeeded', 'the platform says {status}; the exit record has not reached the disk'),
    silent: ended('succeeded', 'the platform says {status}; the exit record has not reached the disk'),
    told: ended(
      'stopped',
      'the job was told to end before it was done, whatever the platform says ({status})',
    ),
  },
  failed: {
    ...ownEnd,
    nothing: ended('not-started', 'the platform says {status}{reason}, and the job never began'),
    alive: ended('lost', 'the platform says {status}{reason}, and the job left no exit record'),
    silent: ended('lost', 'the platform says {status}{reason}, and the job left no exit record'),
    told: ended(
      'preempted',
      'the job was told to end before it was done, and the platform says {status}{reason}',
    ),
  },
  stopped: {
    ...ownEnd,
    nothing: ended('stopped', 'the platform says {status}{reason}: somebody stopped it before it began'),
    alive: ended('stopped', 'the platform says {status}{reason}: somebody stopped it'),
    silent: ended('stopped', 'the platform says {status}{reason}: somebody stopped it'),
    told: ended('stopped', 'the platform says {status}{reason}; the job ended with code {code}'),
  },
  evicted: {
    ...ownEnd,
    nothing: ended('preempted', 'the platform took the job off its nodes before it began{reason}'),
    alive: ended('preempted', 'the platform took the job off its nodes{reason}'),
    silent: ended('preempted', 'the platform took the job off its nodes{reason}'),
    told: ended('preempted', 'the platform took the job off its nodes{reason}'),
  },
  'over-time': {
    ...ownEnd,
    nothing: ended('time-limit', 'the time limit of the job has passed, and it never wrote anything'),
    alive: ended('time-limit', 'the time limit of the job has passed: the platform ended it'),
    silent: ended('time-limit', 'the time limit of the job has passed: the platform ended it'),
    told: ended('time-limit', 'the time limit of the job has passed: the platform told it to end'),
  },
  'queue-out': {
    ...ownEnd,
    nothing: ended('queue-out', 'the platform took the job out of its queue{reason}'),
    alive: ended('queue-out', 'the platform queued the job again and then took it out of its queue{reason}'),
    silent: ended('queue-out', 'the platform queued the job again and then took it out of its queue{reason}'),
    told: ended('queue-out', 'the platform queued the job again and then took it out of its queue{reason}'),
  },
  'not-started': {
    ...ownEnd,
    nothing: ended('not-started', 'the platform says {status}{reason}: the job never began'),
    alive: ended('lost', 'the platform says {status}{reason}, although the job had begun'),
    silent: ended('lost', 'the platform says {status}{reason}, although the job had begun'),
    told: ended('preempted', 'the job was told to end, and could not be started again ({status}{reason})'),
  },
};
