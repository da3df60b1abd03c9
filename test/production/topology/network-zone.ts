import { once } from 'node:events';
import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';

import { execa } from 'execa';

import { unlessGone } from '../../../infra/unless-gone.ts';
import type { PortPipe } from './port-pipes.ts';

/** Who a process is in its zone. */
export interface ZoneUser {
  readonly uid: number;
  readonly cwd: string;
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
}

export interface ZoneEnd {
  readonly failed: boolean;
  readonly exitCode: number | null;
  readonly output: string;
}

export interface ZoneProcess {
  readonly ended: Promise<ZoneEnd>;
  /** Null while it runs. */
  end(): ZoneEnd | null;
  stop(): Promise<void>;
}

export interface NetworkZone {
  start(argv: readonly string[], user: ZoneUser): ZoneProcess;
  /** Of all processes inside but the pipes. */
  pids(): Promise<readonly number[]>;
  close(): Promise<void>;
}

/** A network namespace with nothing but its own loopback and the pipes. Needs root. */
export async function openNetworkZone(pipes: readonly PortPipe[]): Promise<NetworkZone> {
  const script = join(import.meta.dirname, 'port-pipes.ts');
  const up = 'ip link set lo up && exec "$@"';
  const holder = execa(
    'unshare',
    ['--net', 'sh', '-c', up, 'sh', process.execPath, script, JSON.stringify(pipes)],
    { stdin: 'ignore', stderr: 'inherit', buffer: false, reject: false },
  );
  const ready = once(holder.stdout, 'data').then(() => true);
  const ended = holder.then(() => false);
  if (!(await Promise.race([ready, ended])))
    throw new Error('the network namespace ended before it was ready');
  return {
    start: (argv, user) => startAs(['nsenter', `--net=/proc/${holder.pid}/ns/net`, '--'], argv, user),
    pids: () => pidsInside(holder.pid ?? 0),
    close: async () => {
      holder.kill('SIGTERM');
      await holder;
    },
  };
}

/** The network of this machine itself: the zone that has the Internet. */
export const hostNetwork: Pick<NetworkZone, 'start'> = { start: (argv, user) => startAs([], argv, user) };

async function pidsInside(holder: number): Promise<number[]> {
  const space = await networkOf(holder);
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const networks = await Promise.all(pids.map(networkOf));
  return pids.filter((pid, index) => pid !== holder && space !== null && networks[index] === space);
}

/** Of a process that has ended since, or that hides it from everybody, it is not known: neither is in a zone of ours. */
async function networkOf(pid: number): Promise<string | null> {
  try {
    return (await unlessGone(readlink(`/proc/${pid}/ns/net`))) ?? null;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EACCES') return null;
    throw error;
  }
}

function startAs(
  enter: readonly string[],
  argv: readonly string[],
  { uid, cwd, env }: ZoneUser,
): ZoneProcess {
  const identity = ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--'];
  const [program = '', ...rest] = [...enter, ...identity, ...argv];
  const child = execa(program, rest, {
    cwd,
    env,
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    all: true,
  });
  let last: ZoneEnd | null = null;
  const ended = child.then(({ failed, exitCode = null, all }) => (last = { failed, exitCode, output: all }));
  return {
    ended,
    end: () => last,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
