import { execa } from 'execa';

import { processEnvironment } from '../../env.ts';

export interface GitOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
}

/** The environment of every git here: none of the user's own settings reaches it. */
export function gitEnvironment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const { PATH = '/usr/bin:/bin' } = processEnvironment();
  return {
    PATH,
    HOME: '/nonexistent',
    LC_ALL: 'C.UTF-8',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_COUNT: '2',
    GIT_CONFIG_KEY_0: 'safe.directory',
    GIT_CONFIG_VALUE_0: '*',
    GIT_CONFIG_KEY_1: 'http.receivepack',
    GIT_CONFIG_VALUE_1: 'true',
    ...more,
  };
}

/** Runs git in a bare repository; throws when it fails. Returns its output without the last line end. */
export async function git(
  directory: string,
  args: readonly string[],
  options: GitOptions = {},
): Promise<string> {
  const { stdout } = await execa('git', args, execOptions(directory, options));
  return stdout;
}

/** The same for contents that are not text. */
export async function gitBytes(directory: string, args: readonly string[]): Promise<Uint8Array> {
  const { stdout } = await execa('git', args, {
    ...execOptions(directory, {}),
    encoding: 'buffer',
    stripFinalNewline: false,
  });
  return stdout;
}

/** What git says, or null when it says no: a ref or path that is not there, a merge with a conflict. */
export async function gitOrNull(directory: string, args: readonly string[]): Promise<string | null> {
  const { stdout, failed } = await execa('git', args, {
    ...execOptions(directory, {}),
    reject: false,
  });
  return failed ? null : stdout;
}

/** Full commit id of a branch, tag or id; null when it is unknown. */
export async function commitOf(directory: string, revision: string): Promise<string | null> {
  if (revision === '' || revision.startsWith('-')) return null;
  const sha = await gitOrNull(directory, ['rev-parse', '--verify', '--quiet', `${revision}^{commit}`]);
  return sha === '' ? null : sha;
}

/** Commit id by name of branch or tag. */
export async function readRefs(directory: string): Promise<Map<string, string>> {
  const lines = await git(directory, [
    'for-each-ref',
    '--format=%(refname) %(objectname)',
    'refs/heads',
    'refs/tags',
  ]);
  return new Map(
    lines
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(' ') as [string, string]),
  );
}

/** Names of the branches whose newest commit this is. */
export async function branchesAt(directory: string, sha: string): Promise<string[]> {
  const names = await git(directory, [
    'for-each-ref',
    `--points-at=${sha}`,
    '--format=%(refname:lstrip=2)',
    'refs/heads',
  ]);
  return names.split('\n').filter((name) => name !== '');
}

function execOptions(cwd: string, { input, env = {} }: GitOptions) {
  return { cwd, env: gitEnvironment(env), extendEnv: false, ...(input !== undefined && { input }) };
}
