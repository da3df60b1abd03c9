import { execa } from 'execa';

import { Failure } from '../failure.ts';

export interface UvSettings {
  /** Absolute path of the program. */
  readonly uv: string;
  /** What the process may see of the environment; settings of uv that would change the outcome are taken out. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface UvCommand {
  readonly args: readonly string[];
  readonly cwd: string;
  /** Settings of this one call, over those of the environment. */
  readonly settings?: Readonly<Record<string, string>>;
  /** For standard input, which is empty otherwise. */
  readonly input?: string;
  /** Fired, the process and all its children are killed. */
  readonly signal?: AbortSignal;
}

export interface UvResult {
  readonly exitCode: number;
  /** Standard output, for machines. */
  readonly stdout: string;
  /** The last words of both streams, for people; addresses are shown without their credentials. */
  readonly tail: string;
  /** What uv warned of, a line each, for people. */
  readonly warnings: readonly string[];
}

/** Where packages and interpreters come from is the machine's business; how the environment is made is ours. */
const kept =
  /^UV_(?:INDEX|DEFAULT_INDEX|EXTRA_INDEX_URL|FIND_LINKS|CACHE_DIR|CONCURRENT|HTTP|INSECURE_HOST|KEYRING_PROVIDER|NATIVE_TLS|SYSTEM_CERTS|OFFLINE|NETRC|REQUEST_|PYTHON_DOWNLOADS|PYTHON_INSTALL_MIRROR)/;

const tailLines = 30;

/** Runs uv to its end. Throws `Failure` only when it could not be started; an aborted call throws the signal's reason. */
export async function runUv({ uv, environment }: UvSettings, command: UvCommand): Promise<UvResult> {
  const { args, cwd, settings, signal, input } = command;
  signal?.throwIfAborted();
  const child = execa(uv, args, {
    cwd,
    env: { ...uvEnvironment(environment), ...settings, NO_COLOR: '1', UV_NO_PROGRESS: '1' },
    extendEnv: false,
    reject: false,
    all: true,
    ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
    // Its own process group, so that builds which it starts die with it.
    detached: true,
    cleanup: false,
  });
  const kill = () => killGroup(child.pid);
  signal?.addEventListener('abort', kill, { once: true });
  process.once('exit', kill);
  try {
    const result = await child;
    signal?.throwIfAborted();
    if (result.exitCode === undefined) {
      const how = result.signal === undefined ? result.shortMessage : `it was ended by ${result.signal}`;
      throw new Failure('EnvironmentBuildFailed', `uv (${uv}) did not run to its end: ${how}`);
    }
    return {
      exitCode: result.exitCode,
      stdout: result.stdout,
      tail: tailOf(result.all),
      warnings: warningsIn(result.stderr),
    };
  } finally {
    signal?.removeEventListener('abort', kill);
    process.removeListener('exit', kill);
  }
}

function uvEnvironment(environment: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(environment).filter(
    ([name]) => (!name.startsWith('UV_') || kept.test(name)) && !name.startsWith('PIP_'),
  );
  return Object.fromEntries(entries);
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function tailOf(output: string): string {
  return withoutCredentials(output).trim().split('\n').slice(-tailLines).join('\n');
}

function warningsIn(output: string): readonly string[] {
  const lines = withoutCredentials(output).split('\n');
  return lines.filter((line) => line.startsWith('warning: ')).map((line) => line.slice('warning: '.length));
}

function withoutCredentials(output: string): string {
  return output.replaceAll(/(\/\/)[^/@\s]+@/g, '$1***@');
}
