import { stat } from 'node:fs/promises';

import { liveOwner } from '../../infra/home/owner.ts';
import { diskOf } from '../../infra/home/disk-kind.ts';
import { homeVersion, readHomeState } from '../../infra/home/home-version.ts';
import { unlessMissing } from '../../infra/unless-missing.ts';
import { moment } from '../cli/format.ts';
import { good, type Check, type Finding } from './finding.ts';

const system = 'home' as const;
const littleFree = 2 * 2 ** 30;

/** The folder of Hephaestus on this machine: its disk, its version, who has it. */
export function checkHome(home: string): Check {
  return {
    system,
    look: async () => {
      const found = await unlessMissing(stat(home));
      if (found === undefined)
        return [good(system, `${home} is not there yet; it is made at the first start`)];
      const [disk, state, owner] = await Promise.all([diskOf(home), readHomeState(home), liveOwner(home)]);
      const runs =
        owner === null
          ? '`up` does not run here'
          : `\`up\` runs since ${moment(owner.startedAt)} as process ${owner.pid}`;
      return [
        good(system, `${home}: ${runs}, ${gigabytes(disk.freeBytes)} free`),
        ...diskFindings(home, disk),
        ...versionFindings(state),
      ];
    },
  };
}

function diskFindings(
  home: string,
  { kind, name, freeBytes }: Awaited<ReturnType<typeof diskOf>>,
): Finding[] {
  return [
    ...(kind === 'network'
      ? [
          {
            system,
            status: 'bad' as const,
            what: `${home} is on a network disk (${name})`,
            why: 'the database of Temporal is damaged by locks that do not hold; `up` refuses it',
            todo: 'set HEPHAESTUS_HOME to a folder of this machine',
          },
        ]
      : []),
    ...(freeBytes < littleFree
      ? [
          {
            system,
            status: 'warning' as const,
            what: `${gigabytes(freeBytes)} free on the disk of ${home}`,
            why: 'Temporal stops when its database cannot grow',
            todo: 'free some, or set HEPHAESTUS_HOME to another disk',
          },
        ]
      : []),
  ];
}

function versionFindings(state: Awaited<ReturnType<typeof readHomeState>>): Finding[] {
  if (state.status !== 'newer' && state.status !== 'unreadable') return [];
  return [
    {
      system,
      status: 'bad',
      what: `home.json says ${JSON.stringify(state.found)}, this program knows hephaestus/home/v${homeVersion} and older`,
      why: '`up` does not touch what it does not know',
      todo: 'use the Hephaestus that made it, or another HEPHAESTUS_HOME',
    },
  ];
}

function gigabytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GB`;
}
