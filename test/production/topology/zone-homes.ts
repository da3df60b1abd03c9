import { chown, mkdir, readlink } from 'node:fs/promises';
import { join, relative } from 'node:path';

import { execa } from 'execa';

import { allKeys, definitionOf, type Zone } from '../../../infra/config/keys.ts';
import type { Tools } from '../../../infra/tools/ensure-tools.ts';
import { unitFile } from './deployment-files.ts';
import type { SeededLab } from './lab-world.ts';
import type { NetworkZone, ZoneProcess, ZoneUser } from './network-zone.ts';

const checkout = join(import.meta.dirname, '..', '..', '..');

/** Users of their own, which need no name on this machine. */
export const uids = { control: 61_001, networked: 61_002, local: 61_003, webhook: 61_004 } as const;
export type Who = keyof typeof uids;

export interface StarterOptions {
  readonly folder: string;
  readonly program: string;
  /** What this machine needs on its way to the registries: proxies, certificates. */
  readonly machine: Readonly<Record<string, string>>;
  readonly lab: SeededLab;
  readonly doorPort: number;
}

export type Start = (
  network: Pick<NetworkZone, 'start'>,
  who: Who,
  what: string | readonly string[],
) => Promise<ZoneProcess>;

const stateOf = (folder: string): string => join(folder, 'state');
export const homeOf = (folder: string, who: Who): string => join(stateOf(folder), `hephaestus-${who}`);
const sharedOf = (folder: string): string => join(folder, 'shared');
export const toolsOf = (home: string): string => join(home, '.cache', 'hephaestus', 'tools');

/** A folder for each user that no other can look into, and the shared disk. */
export async function makeHomes(folder: string, tools: Tools): Promise<void> {
  await mkdir(stateOf(folder));
  await mkdir(sharedOf(folder));
  await chown(sharedOf(folder), uids.networked, uids.networked);
  for (const who of Object.keys(uids) as Who[]) {
    const home = homeOf(folder, who);
    await mkdir(home, { mode: 0o700 });
    if (who === 'local' || who === 'networked') await bringTools(home, tools);
    await execa('chown', ['-R', `${uids[who]}:${uids[who]}`, home]);
  }
}

/** Starts a unit of `deploy/systemd`, or a command, as the zone's user with the zone's settings and no other. */
export function zoneStarter(options: StarterOptions): Start {
  const { folder, program, machine } = options;
  return async (network, who, what) => {
    const file = typeof what === 'string' ? what : 'hephaestus-worker@.service';
    const unit = await unitFile(file, { instance: who, state: stateOf(folder), program });
    const env = { ...machine, ...unit.environment, ...settingsOf(who, options) };
    const user: ZoneUser = { uid: uids[who], cwd: homeOf(folder, who), env };
    return network.start(typeof what === 'string' ? unit.command : what, user);
  };
}

/** What would be fetched at the first start: the zone `local` reaches no registry here. Only what is in use, as a copy. */
async function bringTools(home: string, { python, geminiScript }: Tools): Promise<void> {
  const root = toolsOf(home);
  await mkdir(root, { recursive: true });
  const own = join(checkout, '.tools');
  for (const program of [python, geminiScript]) {
    const [kit = ''] = relative(own, program).split('/');
    const published = await readlink(join(own, kit));
    await execa('cp', ['-a', join(own, published), join(own, kit), root]);
  }
}

/** Of all settings of the lab those that the zone reads, and where it finds Temporal. */
function settingsOf(who: Who, { folder, lab, doorPort }: StarterOptions): Record<string, string> {
  const zone: Zone = who === 'webhook' ? 'control' : who;
  const inCloud = zone === 'control';
  const read = new Set<string>(
    who === 'webhook'
      ? ['GITHUB_WEBHOOK_SECRET']
      : allKeys().filter((key) => definitionOf(key).zones.includes(zone) && key !== 'GITHUB_WEBHOOK_SECRET'),
  );
  const tls = join(folder, 'tls');
  return {
    ...Object.fromEntries(Object.entries(lab.settings).filter(([key]) => read.has(key))),
    TEMPORAL_NAMESPACE: 'experiments',
    TEMPORAL_ADDRESS: inCloud ? '127.0.0.1:7233' : `localhost:${doorPort}`,
    HEPHAESTUS_GITHUB_POLL_SECONDS: '5',
    QIZHI_POLL_SECONDS: '1',
    ...(zone === 'networked' && { HEPHAESTUS_SHARED_DIR: sharedOf(folder) }),
    ...(!inCloud && {
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: join(tls, 'ca.crt'),
      TEMPORAL_TLS_CLIENT_CERT_PATH: join(tls, `${zone}.crt`),
      TEMPORAL_TLS_CLIENT_KEY_PATH: join(tls, `${zone}.key`),
    }),
  };
}
