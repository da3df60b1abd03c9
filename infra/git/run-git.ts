import { execa } from 'execa';

import { diskFailure } from '../disk-failure.ts';
import { Failure } from '../failure.ts';
import type { GitSettings } from '../settings.ts';

export interface GitCall {
  readonly cwd: string;
  /** The part of the worker's environment that programs need: PATH, proxies. */
  readonly environment: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  readonly input?: string | undefined;
  /** Given for calls that talk to the server, and for no other: hooks and filters of a repository never see it. */
  readonly credential?: GitSettings | undefined;
  readonly extraEnvironment?: Readonly<Record<string, string>> | undefined;
  /** True in a person's own repository: their configuration and credentials count, only their hooks do not run. */
  readonly personal?: boolean | undefined;
}

export interface GitAnswer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const timeoutMs = 10 * 60_000;
const maxBuffer = 64 * 1024 * 1024;

/** Holds whatever the repository's own configuration says, which a coding agent can write to. */
const fixedConfig: readonly (readonly [string, string])[] = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['core.quotePath', 'false'],
  ['core.askPass', ''],
  ['core.autocrlf', 'false'],
  ['credential.helper', ''],
  ['commit.gpgSign', 'false'],
  // Temporal keeps what an activity told through a power loss, so the commit that it told must be there as well. Git itself
  // leaves small objects, branches and the index to the system's leisure, and refuses a worktree whose index is torn.
  ['core.fsync', 'added'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  // The shared disk may belong to another user.
  ['safe.directory', '*'],
  ['protocol.ext.allow', 'never'],
];

/** Runs git and gives its answer whatever the exit code; throws `GitFailed` only when it could not run to its end. */
export async function askGit(args: readonly string[], call: GitCall): Promise<GitAnswer> {
  call.signal?.throwIfAborted();
  const result = await execa('git', [...args], {
    cwd: call.cwd,
    env: gitEnvironment(call),
    extendEnv: false,
    reject: false,
    stripFinalNewline: false,
    timeout: timeoutMs,
    maxBuffer,
    ...(call.input === undefined ? { stdin: 'ignore' as const } : { input: call.input }),
    ...(call.signal !== undefined && { cancelSignal: call.signal }),
  });
  call.signal?.throwIfAborted();
  if (result.exitCode === undefined) {
    const why = result.timedOut ? 'did not end in time' : (result.shortMessage ?? 'could not be started');
    throw new Failure('GitFailed', `git ${args[0] ?? ''} ${why}; is git installed and the disk there?`);
  }
  return { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr };
}

/** Runs git and returns its output, without the newline at the end; throws `GitFailed` with its own words when it fails. */
export async function git(args: readonly string[], call: GitCall): Promise<string> {
  const { exitCode, stdout, stderr } = await askGit(args, call);
  if (exitCode !== 0) throw await gitFailed(args, { exitCode, stderr }, call);
  return stdout.replace(/\n$/, '');
}

/** What a git that failed is to be told as: the disk's own failure where the disk is at fault, else git's last words. */
export async function gitFailed(
  args: readonly string[],
  { exitCode, stderr }: Pick<GitAnswer, 'exitCode' | 'stderr'>,
  { cwd, personal }: GitCall,
): Promise<Failure> {
  const disk = personal === true ? null : await diskFailure(cwd);
  if (disk !== null) return disk;
  const words = stderr.trim().split('\n').slice(-5).join('\n');
  return new Failure('GitFailed', `git ${args[0] ?? ''} ended with exit code ${exitCode}: ${words}`);
}

/** The header that git sends to the server, and nobody else. */
export function authorizationHeader({ pushToken }: GitSettings): string {
  return `Basic ${Buffer.from(`x-access-token:${pushToken}`).toString('base64')}`;
}

/** Everything goes through the environment: the command line and the repository's files can be read by others. */
function gitEnvironment(call: GitCall): Record<string, string> {
  if (call.personal === true) {
    const quiet = fixedConfig.filter(([key]) => personalConfig.has(key));
    return { ...call.environment, ...common, ...configEnvironment(quiet), ...call.extraEnvironment };
  }
  const config = [...fixedConfig];
  if (call.credential !== undefined && call.credential.pushToken !== '') {
    const header = `Authorization: ${authorizationHeader(call.credential)}`;
    config.push([`http.${call.credential.serverUrl}/.extraHeader`, header]);
  }
  return {
    ...call.environment,
    ...common,
    HOME: '/nonexistent',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    ...configEnvironment(config),
    ...call.extraEnvironment,
  };
}

const common = { LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0' };

/** Of the fixed configuration, what also holds in a person's own repository. */
const personalConfig = new Set([
  'core.hooksPath',
  'core.quotePath',
  'commit.gpgSign',
  'core.fsync',
  'gc.auto',
  'maintenance.auto',
]);

function configEnvironment(config: readonly (readonly [string, string])[]): Record<string, string> {
  const entries = config.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  return { GIT_CONFIG_COUNT: String(config.length), ...Object.fromEntries(entries) };
}
