import { setTimeout as delay } from 'node:timers/promises';

import type { Command } from 'commander';

import { loadConfig } from '../../../infra/config/load-config.ts';
import { liveOwner, type Owner } from '../../../infra/home/owner.ts';
import { ClientError } from '../../client-error.ts';
import { EndedBadlyError } from '../cli-errors.ts';
import { run, withJson, type CliContext, type DataOptions } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { clean, duration } from '../format.ts';

/** The worker gets 15 s, then Temporal 5; both are killed after that. */
const patienceMs = 40_000;
const lookEveryMs = 100;

/** `down`: ends the `up` of this home from another terminal, and waits until it has ended. */
export function addDown(program: Command, context: CliContext): void {
  withJson(program.command('down'))
    .description('ends what `up` started, in good order')
    .action(async (options: DataOptions) => {
      await run(context, options, async (output) => {
        const { home } = loadConfig({ env: context.env, zones: [], cwd: context.cwd });
        const owner = await liveOwner(home);
        if (owner === null) {
          output.answer({ stopped: false, home }, [`Nothing runs in ${clean(home)}.`]);
          return exitCodes.done;
        }
        const started = Date.now();
        await endOwner(home, owner, (line) => output.progress(line));
        const took = duration(Date.now() - started);
        output.answer({ stopped: true, home, pid: owner.pid }, [
          `Stopped (process ${owner.pid}, in ${took}).`,
        ]);
        return exitCodes.done;
      });
    });
}

async function endOwner(home: string, owner: Owner, progress: (line: string) => void): Promise<void> {
  const { pid, identity } = owner;
  signal(pid);
  const limit = Date.now() + patienceMs;
  while ((await liveOwner(home))?.identity === identity) {
    if (Date.now() > limit) {
      throw new EndedBadlyError(
        `Process ${pid} has not ended within ${patienceMs / 1000} s. \`kill -9 ${pid}\` ends it at once, and nothing is lost by that.`,
      );
    }
    progress(`waiting for process ${pid} to end`);
    await delay(lookEveryMs);
  }
}

function signal(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    // It ended by itself since it was looked at.
    if (code === 'ESRCH') return;
    if (code !== 'EPERM') throw error;
    const message = `Process ${pid} belongs to another user: ask them, or use their account.`;
    throw new ClientError('refused', message, error);
  }
}
