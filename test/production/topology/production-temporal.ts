import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { execa } from 'execa';

import { processEnvironment } from '../../../infra/env.ts';
import { freePort } from '../../../infra/free-port.ts';
import { toolEnvironment } from '../../../infra/tools/tool-environment.ts';
import { patiently, startCloud } from './cloud.ts';
import { composeService } from './deployment-files.ts';
import { openNetworkZone, type ZoneProcess } from './network-zone.ts';
import { openPipes } from './port-pipes.ts';
import { buildTemporal, type TemporalBuild } from './temporal-build.ts';

export interface ProductionParts {
  readonly build: TemporalBuild;
  readonly postgresUid: number;
}

/** What the topology of the Compose file needs here; in words what is missing. */
export async function productionParts(): Promise<ProductionParts | string> {
  if (process.getuid?.() !== 0) return 'root, who alone makes network namespaces and changes users';
  const postgres = await execa('id', ['-u', 'postgres'], { reject: false });
  if (postgres.failed) return "Debian's Postgres with its user";
  const { image } = await composeService('temporal', {});
  const build = await buildTemporal(image.split(':')[1] ?? '');
  return build === null ? 'Go, which builds Temporal' : { build, postgresUid: Number(postgres.stdout) };
}

/** As the Compose file names it. */
const namespace = 'experiments';

export interface ProductionTemporal {
  readonly address: string;
  readonly namespace: string;
  readonly pids: () => Promise<readonly number[]>;
  close(): Promise<void>;
}

/** Temporal on Postgres alone, reached through one port of this machine; in words what is missing for it. */
export async function startProductionTemporal(temporal: string): Promise<ProductionTemporal | string> {
  const parts = await productionParts();
  if (typeof parts === 'string') return parts;
  // Postgres runs as another user, who must be able to walk to it.
  const folder = await mkdtemp(join(tmpdir(), 'hephaestus-production-'));
  await chmod(folder, 0o755);
  const socket = join(folder, 'temporal.sock');
  const zone = await openNetworkZone([{ from: socket, to: 7233 }]);
  const running: ZoneProcess[] = [];
  const { PATH: path = '' } = toolEnvironment(processEnvironment());
  const keep = (_name: string, child: ZoneProcess): void => void running.push(child);
  const close = async (): Promise<void> => {
    for (const child of running.toReversed()) await child.stop();
    await zone.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await startCloud({ zone, folder, ...parts, temporal, certificates: null, path, keep });
  } catch (error) {
    await close();
    throw error;
  }
  const port = await freePort();
  const closePipes = await openPipes([{ from: port, to: socket }]);
  const address = `127.0.0.1:${port}`;
  // Temporal reads the list of its namespaces every ten seconds: before that a new one is not found.
  const look = ['operator', 'search-attribute', 'list', '--address', address, '--namespace', namespace];
  await patiently('the namespace', () => execa(temporal, look));
  return {
    address,
    namespace,
    pids: () => zone.pids(),
    close: async () => {
      closePipes();
      await close();
    },
  };
}
