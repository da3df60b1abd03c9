import { mkdtemp, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { execa } from 'execa';

/**
 * How a process is kept from the network on this machine. `namespaces`: own network, host name and mounts.
 * `seccomp`: every socket but a unix one is refused. `none`: not at all.
 */
export type Isolation = 'namespaces' | 'seccomp' | 'none';

export interface IsolationOptions {
  /** Host name that the process sees; `namespaces` only. */
  readonly hostName?: string;
  /** Absolute paths of folders that are covered by an empty one; `namespaces` only. One that is not there is skipped. */
  readonly hide?: readonly string[];
  /** Folders that stay visible, read-only, also inside a hidden one; `namespaces` only. Absolute paths. */
  readonly bindReadOnly?: readonly string[];
  /** What is seen at another place than it stands at; `namespaces` only. */
  readonly bind?: readonly Bind[];
  /** User and group id that the process sees itself as; it owns the same files as before. `namespaces` only. */
  readonly userId?: number;
}

/** A folder or file that the process sees at `to`, even if no such path exists on this machine. Absolute paths. */
export interface Bind {
  readonly from: string;
  readonly to: string;
  readonly writable?: boolean;
}

const enterNamespaces = join(import.meta.dirname, 'enter-namespaces.sh');
const noNetwork = join(import.meta.dirname, 'no-network.py');

let detected: Promise<Isolation> | undefined;

/** The strongest isolation that works here, found out by trying it once in this process's life. */
export function detectIsolation(): Promise<Isolation> {
  detected ??= detect();
  return detected;
}

/**
 * The command that runs `argv` without network. It needs `sh`, and `unshare` and `mount` (namespaces) or `python3`
 * (seccomp), on the `PATH` that it is started with; it ends by `exec`, so signals and the exit code are those of
 * `argv`. Exit code 125 with a line on standard error means that the isolation itself failed and nothing was run.
 *
 * @example isolatedCommand('namespaces', ['sh', 'start.sh'], { hostName: 'job-1', hide: ['/root'] })
 */
export function isolatedCommand(
  kind: Isolation,
  argv: readonly string[],
  options: IsolationOptions = {},
): [string, ...string[]] {
  const [program, ...rest] = argv;
  if (program === undefined) throw new TypeError('isolatedCommand needs a program to run, got an empty argv');
  switch (kind) {
    case 'namespaces': {
      const enter = ['sh', enterNamespaces, ...steps(options), 'run', program, ...rest];
      return ['unshare', '--map-root-user', '--mount', '--uts', '--net', '--', ...enter];
    }
    case 'seccomp':
      return ['python3', '-I', '-S', noNetwork, program, ...rest];
    case 'none':
      return [program, ...rest];
  }
}

/** The words of `enter-namespaces.sh`: what is to be shown is held before anything is hidden. */
function steps({ hostName, hide = [], bindReadOnly = [], bind = [], userId }: IsolationOptions): string[] {
  const shown: readonly Bind[] = [...bindReadOnly.map((path) => ({ from: path, to: path })), ...bind];
  return [
    ...(hostName === undefined ? [] : ['host', hostName]),
    ...shown.flatMap(({ from }) => ['hold', from]),
    ...hide.flatMap((path) => ['hide', path]),
    ...shown.flatMap(({ to, writable }, index) => [
      'show',
      String(index),
      to,
      writable === true ? 'rw' : 'ro',
    ]),
    ...(userId === undefined ? [] : ['user', String(userId)]),
  ];
}

/** What a kind of isolation cannot promise, as sentences for people; empty when it promises everything. */
export function missingGuarantees(kind: Isolation): readonly string[] {
  const folders =
    'Folders of this machine could not be hidden from the process: it may have used files outside.';
  const name = 'The process saw the host name of this machine instead of one of its own.';
  switch (kind) {
    case 'namespaces':
      return [];
    case 'seccomp':
      return [folders, name];
    case 'none':
      return [
        'The process was not kept from the network: this machine allows no way to do so.',
        folders,
        name,
      ];
  }
}

async function detect(): Promise<Isolation> {
  if (await namespacesWork()) return 'namespaces';
  return (await seccompWorks()) ? 'seccomp' : 'none';
}

/** Makes every kind of namespace and mount that is ever asked for, and looks whether the network really is another. */
async function namespacesWork(): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'isolation-'));
  try {
    const probe = ['sh', '-c', '[ "$(hostname)" = isolation-probe ] && readlink /proc/self/ns/net'];
    const options = { hostName: 'isolation-probe', hide: [folder], bindReadOnly: ['/usr'] };
    const answer = await tryCommand(isolatedCommand('namespaces', probe, options));
    return answer?.startsWith('net:') === true && answer !== (await readlink('/proc/self/ns/net'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function seccompWorks(): Promise<boolean> {
  const script = [
    'import socket',
    'socket.socket(socket.AF_UNIX).close()',
    'try: socket.socket(socket.AF_INET)',
    'except OSError: print("refused")',
  ].join('\n');
  return (await tryCommand(isolatedCommand('seccomp', ['python3', '-I', '-S', '-c', script]))) === 'refused';
}

/** What the command printed, undefined when it could not run or failed. */
async function tryCommand([program, ...args]: [string, ...string[]]): Promise<string | undefined> {
  const result = await execa(program, args, { reject: false, stdin: 'ignore', timeout: 20_000 });
  return result.failed ? undefined : result.stdout.trim();
}
