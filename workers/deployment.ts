import type { WorkerOptions } from '@temporalio/worker';

import manifest from '../package.json' with { type: 'json' };

/**
 * Which version of Hephaestus a worker runs, for Temporal and its Web UI to show. It is told and not used for routing: an
 * experiment waits for weeks, and one that were pinned to the version that it began with would wait for a worker that
 * nobody runs any more. It goes on with whichever worker is there, and the workflows keep to what is recorded by `patched`.
 */
export const deployment = {
  workerDeploymentOptions: {
    version: { deploymentName: 'hephaestus', buildId: manifest.version },
    useWorkerVersioning: false,
  },
} as const satisfies Pick<WorkerOptions, 'workerDeploymentOptions'>;
