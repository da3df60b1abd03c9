import { cancellationSignal, heartbeat } from '@temporalio/activity';

import { guardActivities } from '../boundary.ts';
import { freeze, type EnvironmentDependencies } from './freeze.ts';
import type { EnvironmentActivities } from './interface.ts';

const heartbeatMs = 5_000;

/**
 * Queue `networked`: uv on the shared disk. Failures: `EnvironmentLockMismatch`, `EnvironmentBuildFailed`,
 * `EnvironmentNotPortable`, `GitFailed`, and those of the shared disk.
 */
export function createEnvironmentActivities(dependencies: EnvironmentDependencies): EnvironmentActivities {
  return guardActivities<EnvironmentActivities>({
    async freezeEnvironment(input) {
      heartbeat();
      const beat = setInterval(() => heartbeat(), heartbeatMs);
      try {
        return await freeze(dependencies, input, cancellationSignal());
      } finally {
        clearInterval(beat);
      }
    },
  });
}
