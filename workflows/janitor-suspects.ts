import { judgeOwner } from '../domain/decide-orphan.ts';
import { isPlatformJobId } from '../domain/ids.ts';
import type { DiskWord, JobOwner, PlatformSight } from '../domain/orphan.ts';
import type { JobKey } from '../activities/attempts/interface.ts';
import type { AttemptSight, Ownership } from '../activities/janitor/interface.ts';
import { control } from './janitor-activities.ts';
import { keyOf } from './job-key.ts';

/** One job that may have no owner, or an attempt without any known job. */
export interface Suspect {
  readonly key: JobKey;
  readonly jobId: string | null;
  readonly owner: JobOwner;
  /** The attempt's workflow recorded that it created this job, so the platform knows its id. */
  readonly recorded: boolean;
  readonly sight: AttemptSight;
}

/** Every job of the attempts, by the claim on the disk and by what their workflows recorded. */
export async function findSuspects(sights: readonly AttemptSight[]): Promise<Suspect[]> {
  if (sights.length === 0) return [];
  const owners = await control.findOwners.executeWithOptions(
    { summary: `owners of ${sights.length} attempts` },
    [sights.map((sight) => ({ ...keyOf(sight), claimed: sight.claimedBy !== null }))],
  );
  return sights.flatMap((sight, index) => suspectsOf(sight, owners[index]));
}

function suspectsOf(sight: AttemptSight, ownership: Ownership | undefined): Suspect[] {
  if (ownership === undefined) return [];
  const { owner, jobIds } = ownership;
  const { claimedBy } = sight;
  const base = { key: keyOf(sight), owner, sight };
  const recorded = jobIds.map((jobId): Suspect => ({ ...base, jobId, recorded: true }));
  if (claimedBy === null) {
    // Without a folder and without a job there is nothing that could run.
    if (recorded.length > 0 || sight.status === 'missing') return recorded;
    return [{ ...base, jobId: null, recorded: false }];
  }
  if (jobIds.includes(claimedBy)) return recorded;
  const isStranger = owner.status === 'closed' && jobIds.length > 0;
  const claimant: JobOwner = isStranger ? { status: 'stranger', created: jobIds } : owner;
  return [...recorded, { ...base, jobId: claimedBy, owner: claimant, recorded: false }];
}

/** Nobody's for longer than the grace period, or with an owner that cannot be told. */
export function isMature({ owner }: Suspect, now: number, graceMs: number): boolean {
  return judgeOwner(owner, now, graceMs) === null;
}

export function isClaimant({ sight, jobId }: Suspect): boolean {
  return jobId !== null && sight.claimedBy === jobId;
}

/** Whether the platform can be asked about it at all; null when it can. */
export function withoutAsking({ jobId, recorded }: Suspect): PlatformSight | null {
  if (jobId === null) return { status: 'no-job' };
  return recorded || isPlatformJobId(jobId) ? null : { status: 'no-id' };
}

/** What two looks at the disk say of the job, the second by far later than a job lets pass between two beats. */
export function diskWord(suspect: Suspect, later: AttemptSight): DiskWord {
  if (!isClaimant({ ...suspect, sight: later })) return 'absent';
  if (later.beat === null || later.beat === suspect.sight.beat) return 'silent';
  return later.asked ? 'deaf' : 'alive';
}
