import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

import { placeMarker } from '../../infra/agents/agent-process.ts';
import { childEnvironment } from '../../infra/agents/child-environment.ts';
import { confined } from '../../infra/agents/confine.ts';
import { killLeftOvers } from '../../infra/agents/left-overs.ts';
import { signalGroup } from '../../infra/signal-group.ts';

export interface CheckRun {
  readonly command: string;
  /** The worktree. */
  readonly source: string;
  /** Where a private home is made for it. */
  readonly scratchDir: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Folders beside the worktree that it may write to, where the machine lets it be confined. */
  readonly writable: readonly string[];
  readonly signal: AbortSignal;
  readonly limitMs?: number;
}

const usualLimitMs = 10 * 60_000;
const tailBytes = 4000;

/**
 * Runs the repository's own check in the worktree, as free and as bare as the coding agent: no credential, a home of its
 * own, the frozen environment first on the path where there is one. Returns null when it passed, else its last words; no
 * process of it is left.
 */
export async function runCheck(check: CheckRun): Promise<string | null> {
  const { command, source, scratchDir, signal, limitMs = usualLimitMs } = check;
  await mkdir(scratchDir, { recursive: true });
  const home = await mkdtemp(join(scratchDir, 'check-home-'));
  // Into a file and not a pipe: what it leaves in the background could hold a pipe open for ever.
  const output = await open(join(home, 'output.log'), 'w+');
  try {
    const timeout = AbortSignal.timeout(limitMs);
    const code = await untilEnded(check, home, output.fd, AbortSignal.any([timeout, signal]));
    signal.throwIfAborted();
    if (code === 0 && !timeout.aborted) return null;
    const how = timeout.aborted
      ? `did not end within ${limitMs / 60_000} minutes`
      : `exit code ${code ?? 'none, killed'}`;
    return `${command}: ${how}\n${await tailOf(output)}`;
  } finally {
    await killLeftOvers(placeMarker(source));
    await output.close();
    await rm(home, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** The exit code; null when it was killed. */
async function untilEnded(
  { command, source, environment, writable }: CheckRun,
  home: string,
  output: number,
  stop: AbortSignal,
): Promise<number | null> {
  const allowed = childEnvironment(environment);
  const [marker = '', place = ''] = placeMarker(source).split(/=(.*)/s, 2);
  const shell = ['sh', '-c', `ulimit -f ${mostOutputBlocks}; ${command}`];
  const [program = '', ...args] = await confined(shell, [source, home, ...writable]);
  const child = spawn(program, args, {
    cwd: source,
    detached: true,
    stdio: ['ignore', output, output],
    env: {
      ...allowed,
      PATH: [join(source, '.venv', 'bin'), allowed['PATH'] ?? ''].join(delimiter),
      HOME: home,
      TMPDIR: home,
      WANDB_MODE: 'disabled',
      PYTHONDONTWRITEBYTECODE: '1',
      [marker]: place,
    },
  });
  const kill = (): void => signalGroup(child.pid, 'SIGKILL');
  stop.addEventListener('abort', kill, { once: true });
  try {
    const [code] = (await once(child, 'exit')) as [number | null];
    return code;
  } finally {
    stop.removeEventListener('abort', kill);
    kill();
  }
}

/** No file that a check writes may grow beyond this, in blocks of 512 bytes: one that prints without end ends by it. */
const mostOutputBlocks = 2 * 1024 * 512;

async function tailOf(output: Awaited<ReturnType<typeof open>>): Promise<string> {
  const { size } = await output.stat();
  const { buffer, bytesRead } = await output.read({
    buffer: Buffer.alloc(tailBytes),
    position: Math.max(0, size - tailBytes),
  });
  return buffer.toString('utf8', 0, bytesRead).trim();
}
