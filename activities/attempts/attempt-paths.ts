import { join, posix } from 'node:path';

import { Failure } from '../../infra/failure.ts';
import type { JobKey } from './interface.ts';

/** Folder of one seed of one attempt, below the shared disk as `root` names it. */
export function attemptDir(root: string, { experimentId, attempt, seed }: JobKey): string {
  return join(sourceParent(root, experimentId), 'attempts', number(attempt), number(seed));
}

/** The experiment's worktree, below the shared disk as `root` names it. */
export function sourceDir(root: string, experimentId: string): string {
  return posix.join(sourceParent(root, experimentId), 'source');
}

function sourceParent(root: string, experimentId: string): string {
  // These names become paths on a disk that others share.
  if (!/^[a-z0-9][a-z0-9-]*$/.test(experimentId)) {
    throw new Failure('TaskNoteInvalid', `"${experimentId}" is no experiment id: expected [a-z0-9-]{3,50}.`);
  }
  return posix.join(root, 'experiments', experimentId);
}

function number(value: number): string {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new Failure(
      'TaskNoteInvalid',
      `${value} is no attempt or seed: expected a whole number, 0 or larger.`,
    );
  }
  return String(value);
}
