import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { execa } from 'execa';

const script = join(import.meta.dirname, 'confine.sh');

let works: Promise<boolean> | undefined;

/** Whether this machine lets an agent be confined, found out by trying it once in this process's life. */
export function canConfine(): Promise<boolean> {
  works ??= tryIt();
  return works;
}

/**
 * The command that runs `argv` so that it, and all that it starts, can write to these folders and nowhere else; `argv`
 * itself where this machine has no such means. The folders are absolute and exist. It ends by `exec`, so signals and the
 * exit code are those of `argv`; exit code 125 means that nothing was run.
 */
export async function confined(
  argv: readonly string[],
  writable: readonly string[],
): Promise<readonly string[]> {
  return (await canConfine()) ? confiningCommand(argv, writable) : argv;
}

function confiningCommand(argv: readonly string[], writable: readonly string[]): readonly string[] {
  return ['unshare', '--map-root-user', '--mount', '--', 'sh', script, ...writable, '--', ...argv];
}

async function tryIt(): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'confine-'));
  const inside = join(folder, 'inside');
  const probe = ['sh', '-c', 'true > "$1/in" && ! true > "$2/out"', 'probe', inside, folder];
  try {
    await mkdir(inside);
    const [program = '', ...args] = confiningCommand(probe, [inside]);
    const result = await execa(program, args, { reject: false, stdin: 'ignore', timeout: 20_000 });
    return !result.failed;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
