import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { z } from 'zod';

import { attemptKey } from '../../domain/ids.ts';
import { Failure } from '../../infra/failure.ts';
import type { SharedDiskSettings } from '../../infra/settings.ts';
import { attemptDir } from './attempt-paths.ts';
import type { AttemptRun, PreparedJob, WriteAttemptInput } from './interface.ts';
import { exists, readIfThere, requireFolder, writeDurably } from './shared-disk.ts';
import { startCommand, startScript } from './start-script.ts';

export interface WriteAttemptDependencies {
  readonly disk: SharedDiskSettings;
  readonly wandb: { readonly entity?: string | undefined };
}

const Attempt = z.object({
  key: z.string(),
  headSha: z.string(),
  environmentDigest: z.string(),
  runId: z.string(),
  command: z.string(),
  noteDigest: z.string(),
  /** ISO 8601, UTC. */
  createdAt: z.string(),
});
type Attempt = z.infer<typeof Attempt>;

/** The files of one seed; `attempt.json` comes first, since whoever finds it knows what the rest must be. */
export async function writeAttemptFiles(
  dependencies: WriteAttemptDependencies,
  input: WriteAttemptInput,
  { seed, runId }: AttemptRun,
): Promise<PreparedJob> {
  const { disk } = dependencies;
  const key = { experimentId: input.experimentId, attempt: input.attempt, seed };
  const folder = attemptDir(disk.sharedDir, key);
  await requireFolder(disk.sharedDir, 'The shared disk', 'Mount it, or correct HEPHAESTUS_SHARED_DIR.');
  await mkdir(folder, { recursive: true });
  const command = startCommand(disk.jobSharedDir, key);
  await recordAttempt(join(folder, 'attempt.json'), {
    key: attemptKey(input.experimentId, input.attempt, seed),
    headSha: input.headSha,
    environmentDigest: input.environmentDigest,
    runId,
    command,
    noteDigest: digestOf(input.note),
    createdAt: new Date().toISOString(),
  });
  const script = startScript({
    ...key,
    runId,
    note: input.note,
    jobSharedDir: disk.jobSharedDir,
    entity: dependencies.wandb.entity,
  });
  const path = join(folder, 'start.sh');
  if ((await readIfThere(path)) !== script) await writeDurably(path, script, 0o755);
  return { seed, command };
}

/** A key means one thing for ever: a job of it may be on its way already. */
async function recordAttempt(path: string, wanted: Attempt): Promise<void> {
  const text = await readIfThere(path);
  if (text === undefined) {
    await refuseOlderClaim(path);
    await writeDurably(path, `${JSON.stringify(wanted, null, 2)}\n`, 0o644);
    return;
  }
  const found = parseAttempt(text, path);
  const names = Object.keys(Attempt.omit({ createdAt: true }).shape) as (keyof Attempt)[];
  const different = names.filter((name) => found[name] !== wanted[name]);
  if (different.length === 0) return;
  const details = different.map((name) => `${name} was "${found[name]}" and is now "${wanted[name]}"`);
  throw new Failure(
    'AttemptConflict',
    `Attempt ${wanted.key} was written down before as something else (${path}): ${details.join('; ')}. ` +
      'A changed experiment needs a new attempt number.',
  );
}

/** A job of this attempt can only come after its `attempt.json`: who was there before is of another experiment's life. */
async function refuseOlderClaim(path: string): Promise<void> {
  const claim = join(dirname(path), 'claim');
  if (!(await exists(claim))) return;
  throw new Failure(
    'AttemptConflict',
    `${claim} is older than the attempt: expected no claim before ${path} is written. A job of an earlier experiment of ` +
      'this name may hold it, and a new job would leave without training. Start again: a new attempt gets a new number.',
  );
}

function parseAttempt(text: string, path: string): Attempt {
  try {
    return Attempt.parse(JSON.parse(text));
  } catch (error) {
    throw new Failure(
      'AttemptConflict',
      `${path} does not hold an attempt: expected the JSON that was written there. Look at it; a new attempt number avoids it.`,
      { cause: error },
    );
  }
}

/** Keys in order, so that the same note has the same digest however it was put together. */
function digestOf(note: unknown): string {
  const text = JSON.stringify(note, (_key, value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
  return createHash('sha256').update(text).digest('hex');
}
