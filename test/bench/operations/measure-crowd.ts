import { join } from 'node:path';

import { Connection } from '@temporalio/client';

import { startDevServer } from '../../../infra/temporal/dev-server.ts';
import { ensureSearchAttributes } from '../../../infra/temporal/search-attributes.ts';
import type { Tools } from '../../../infra/tools/ensure-tools.ts';
import { startProductionTemporal } from '../../production/topology/production-temporal.ts';
import type { Figure } from '../figure.ts';
import { runCrowd, type CrowdServer, type CrowdUse } from './run-crowd.ts';

/** What so many experiments at once take is compared with what a tenth of them takes. */
const timesAsMany = 10;
/** What is left over linear growth is for the noise of one run of each. */
const noise = 1.15;

/** So many experiments at once and a tenth of them, on the embedded server as `up` runs it. */
export async function measureCrowd(
  { temporal }: Tools,
  directory: string,
  experiments: number,
): Promise<Figure[]> {
  const server = await startDevServer({ temporal, databaseFile: join(directory, 'crowd.db') });
  try {
    return [await measureGrowth('embedded', { ...server, pids: async () => [server.pid] }, experiments)];
  } finally {
    await server.close();
  }
}

/** The same on Temporal with Postgres, as the Compose file has it. */
export async function measureCrowdOnPostgres({ temporal }: Tools, experiments: number): Promise<Figure[]> {
  const server = await startProductionTemporal(temporal);
  if (typeof server === 'string') {
    console.log(`not measured: it needs ${server}`);
    return [];
  }
  try {
    return [await measureGrowth('Postgres', server, experiments)];
  } finally {
    await server.close();
  }
}

async function measureGrowth(where: string, server: CrowdServer, experiments: number): Promise<Figure> {
  const connection = await Connection.connect({ address: server.address });
  await ensureSearchAttributes(connection, server.namespace);
  await connection.close();
  const few = await runCrowd(server, Math.ceil(experiments / timesAsMany));
  tell(where, few);
  const many = await runCrowd(server, experiments);
  tell(where, many);
  const growth = cpuOf(many) / cpuOf(few);
  const linear = many.experiments / few.experiments;
  return {
    what: `${where}: processor time of ${many.experiments} experiments at once against ${few.experiments}`,
    value: `${growth.toFixed(1)} times`,
    target: `at most ${linear.toFixed(0)} times, ${((noise - 1) * 100).toFixed(0)} % noise allowed`,
    met: growth <= linear * noise,
  };
}

function tell(where: string, use: CrowdUse): void {
  const each = (seconds: number): string => `${((1000 * seconds) / use.experiments).toFixed(0)} ms`;
  const { worker, server } = use.cpuSeconds;
  console.log(
    `${where}, ${use.experiments} at once: ${use.wallSeconds.toFixed(0)} s in all; of each experiment ${each(use.wallSeconds)}, ` +
      `${each(worker)} of the worker's processor time and ${each(server)} of the server's; ` +
      `memory at most ${megabytes(use.memoryBytes.worker)} and ${megabytes(use.memoryBytes.server)}`,
  );
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MB`;
}

function cpuOf({ cpuSeconds }: CrowdUse): number {
  return cpuSeconds.worker + cpuSeconds.server;
}
