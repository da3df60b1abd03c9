import type { DiskWord, JobOwner, OrphanDecision, PlatformSight } from './orphan.ts';

/** What the platform is taken to say. */
export const sightWords = [
  'no-job',
  'no-id',
  'unasked',
  'gone',
  'live',
  'stopping',
  'ended',
  'reserving',
  'unclear',
] as const;
export type SightWord = (typeof sightWords)[number];

export interface OrphanEvidence {
  readonly owner: JobOwner;
  readonly platform: PlatformSight;
  readonly disk: DiskWord;
  /** Ms since the epoch, UTC, by the clock of Temporal, which also dates the owner's end. */
  readonly now: number;
  readonly graceMs: number;
}

const again = (why: string): OrphanDecision => ({ action: 'leave', settled: false, why });
const settled = (why: string): OrphanDecision => ({ action: 'leave', settled: true, why });
const stop = (why: string): OrphanDecision => ({ action: 'stop', by: 'platform', why });
const stopByDisk = (why: string): OrphanDecision => ({ action: 'stop', by: 'disk', why });
const report = (why: string, todo: string): OrphanDecision => ({ action: 'report', why, todo });

const lookThere = 'look at the job in the console of the platform, and stop it there if it still runs';
const askAgain = 'mend what keeps the platform from being asked; the next visit looks again';
const deafTo = 'although it was asked by the shared disk to end at an earlier visit';

/** Whatever the disk says beside it. */
function always(decision: OrphanDecision): Record<DiskWord, OrphanDecision> {
  return { absent: decision, alive: decision, silent: decision, deaf: decision };
}

/**
 * What is done about a job without an owner when the grace period is over, for every pair of what the platform and the
 * shared disk say. Three rules: what is live is stopped; who cannot be asked is never taken for ended; and a job that
 * the platform does not know is asked by the disk, which reaches nobody else's. `{status}` and `{why}` are filled in.
 */
const orphanTable: Readonly<Record<SightWord, Readonly<Record<DiskWord, OrphanDecision>>>> = {
  'no-job': always({
    action: 'revoke',
    why: 'no job has claimed the attempt, and one that still came would train for nobody',
  }),
  'no-id': {
    absent: settled('nothing is known of a job'),
    alive: stopByDisk('it goes on by its own records; its host name holds no id to ask the platform by'),
    silent: report(
      'its heartbeat has stopped, and its host name holds no id to ask the platform by',
      `${lookThere}; when it has ended, remove claim/ in the attempt's folder`,
    ),
    deaf: report(`it goes on, ${deafTo}; its host name holds no id to ask the platform by`, lookThere),
  },
  unasked: always(report('the platform cannot be asked: {why}', askAgain)),
  gone: {
    absent: settled('the platform does not know the job, and it never began'),
    alive: stopByDisk('it goes on by its own records; the platform does not know it'),
    silent: settled('the platform does not know the job any more, and its heartbeat has stopped'),
    deaf: report(`it goes on, ${deafTo}; the platform does not know it`, lookThere),
  },
  live: always(stop('the platform says {status}')),
  stopping: always(again('the platform is stopping it ({status})')),
  ended: {
    absent: settled('the platform says {status}'),
    alive: stopByDisk('it goes on by its own records, although the platform says {status}'),
    silent: settled('the platform says {status}, and its heartbeat has stopped'),
    deaf: report(`it goes on, ${deafTo}, and the platform says {status}`, lookThere),
  },
  reserving: always(stop('it has ended, but the platform keeps its GPUs ({status})')),
  unclear: always(report('the platform says "{status}", which is not known here', lookThere)),
};

/**
 * Whether the owner alone settles it, before anybody is asked: null when the job is nobody's and the grace period is
 * over, so that the platform and the disk decide.
 */
export function judgeOwner(owner: JobOwner, now: number, graceMs: number): OrphanDecision | null {
  if (owner.status === 'owned') return again(`${owner.by} runs`);
  if (owner.status !== 'closed') return null;
  const left = owner.since + graceMs - now;
  if (left <= 0) return null;
  return again(`${owner.how} ${minutes(now - owner.since)} ago: the grace period ends in ${minutes(left)}`);
}

/** What is to be done about one job of one attempt. Ended and finished attempts never come here: they are left alone. */
export function decideOrphan({ owner, platform, disk, now, graceMs }: OrphanEvidence): OrphanDecision {
  const early = judgeOwner(owner, now, graceMs);
  if (early !== null) return early;
  const decision = fill(orphanTable[sightWord(platform)][disk], platform);
  const acts = decision.action === 'stop' || decision.action === 'revoke';
  switch (owner.status) {
    case 'unknown':
      if (!acts) return decision;
      return report(
        `Temporal holds no workflow of it, so it may be another installation's; ${decision.why}`,
        'find out whose it is; if it is nobody’s, stop the job in the console of the platform and remove the attempt’s folder',
      );
    case 'stranger':
      if (!acts) return decision;
      return report(
        `the attempt is claimed by a job that Hephaestus did not create (it created ${owner.created.join(', ')}); ${decision.why}`,
        'find out who ran start.sh of this attempt; stop the job in the console of the platform if nobody needs it',
      );
    case 'closed':
      return acts ? { ...decision, why: `${decision.why}; ${owner.how}` } : decision;
    case 'owned':
      return decision;
  }
}

function sightWord(platform: PlatformSight): SightWord {
  if (platform.status !== 'seen') return platform.status;
  switch (platform.state) {
    case 'pending':
    case 'queued':
    case 'running':
    case 'restarting':
      return 'live';
    case 'stopping':
      return 'stopping';
    case 'succeeded':
    case 'failed':
    case 'stopped':
    case 'queue-out':
    case 'not-started':
      return platform.reserving ? 'reserving' : 'ended';
    case 'gone':
      return 'gone';
    case 'unknown':
      return 'unclear';
  }
}

function fill(decision: OrphanDecision, platform: PlatformSight): OrphanDecision {
  const status = platform.status === 'seen' ? platform.rawStatus : '';
  const why = platform.status === 'unasked' ? platform.why : '';
  return {
    ...decision,
    why: decision.why.replaceAll('{status}', () => status).replaceAll('{why}', () => why),
  };
}

function minutes(ms: number): string {
  return `${Math.max(1, Math.round(ms / 60_000))} min`;
}
