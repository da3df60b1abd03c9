import { cancellationSignal, heartbeat } from '@temporalio/activity';

import { guardActivities } from '../boundary.ts';
import { freeze, type EnvironmentDependencies } from './freeze.ts';
import type { EnvironmentActivities } from './interface.ts';
import { rehearseCommand } from './rehearse-command.ts';

const heartbeatMs = 5_000;

/**
 * Queue `networked`: uv on the shared disk. Failures: `EnvironmentLockMismatch`, `EnvironmentBuildFailed`,
 * `EnvironmentNotPortable`, `GitFailed`, and those of the shared disk.
 */
export function createEnvironmentActivities(dependencies: EnvironmentDependencies): EnvironmentActivities {
  return guardActivities<EnvironmentActivities>({
    freezeEnvironment: async (input) => beating((signal) => freeze(dependencies, input, signal)),
    rehearseCommand: async (input) => beating((signal) => rehearseCommand(dependencies, input, signal)),
  });
}

async function beating<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  heartbeat();
  const beat = setInterval(() => heartbeat(), heartbeatMs);
  try {
    return await work(cancellationSignal());
  } finally {
    clearInterval(beat);
  }
}
