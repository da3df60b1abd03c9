import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { runCli } from '../../../client/cli/run-cli.ts';
import type { Experiments } from '../../../client/experiments.ts';
import { fakeExperiments } from './example-experiment.ts';

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

interface Options {
  readonly calls?: Partial<Experiments>;
  readonly env?: Record<string, string>;
  readonly terminal?: boolean;
  readonly signal?: AbortSignal;
  readonly cwd?: string;
}

/** Runs one command line in this process, on a client whose calls fail the test but for those that it names. */
export async function runIn(
  args: readonly string[],
  { calls = {}, env = {}, terminal = false, signal, cwd = tmpdir() }: Options = {},
): Promise<Ran> {
  const written = { out: '', err: '' };
  const code = await runCli(args, {
    env: { TEMPORAL_CONFIG_FILE: join(cwd, 'none.toml'), USER: 'ann', ...env },
    cwd,
    streams: {
      stdout: { write: (text) => (written.out += text), isTTY: terminal },
      stderr: { write: (text) => (written.err += text), isTTY: terminal },
    },
    signal: signal ?? new AbortController().signal,
    openExperiments: () => fakeExperiments(calls),
    program: 'hephaestus',
  });
  return { code, ...written };
}
