import { runCli } from '../../../client/cli/run-cli.ts';
import type { SmallWorld } from './small-project.ts';

export interface CliAnswer {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** `environment …` on the command line, on the shared disk of a small world; nobody is there to be asked. */
export function environmentCli(world: SmallWorld): (...args: string[]) => Promise<CliAnswer> {
  return async (...args) => {
    let out = '';
    let err = '';
    const code = await runCli(['environment', ...args], {
      env: { ...world.dependencies.environment, HEPHAESTUS_SHARED_DIR: world.shared },
      cwd: world.root,
      streams: { stdout: { write: (text) => (out += text) }, stderr: { write: (text) => (err += text) } },
      signal: new AbortController().signal,
      openExperiments: () => {
        throw new Error('these commands need no Temporal');
      },
      program: 'hephaestus',
    });
    return { code, out, err };
  };
}
