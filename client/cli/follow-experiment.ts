import { setTimeout as sleep } from 'node:timers/promises';

import { ClientError } from '../client-error.ts';
import type { Experiments } from '../experiments.ts';
import type { SeenExperiment } from '../seen-experiment.ts';
import { describeChanges } from './describe-changes.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { clean, duration } from './format.ts';
import type { Output } from './output.ts';
import { describeTrouble } from './present-experiment.ts';

const lookEveryMs = 1000;
/** Looking for failed tries asks Temporal about every job, so it is done less often. */
const troubleEveryLooks = 5;
/** A Temporal that is being restarted is no reason to stop watching. */
const patienceMs = 120_000;

export interface FollowOptions {
  readonly experiments: Experiments;
  readonly output: Output;
  readonly id: string;
  readonly signal: AbortSignal;
}

/** Tells every change until the experiment has ended, and returns how it was seen last. */
export async function followExperiment(options: FollowOptions): Promise<SeenExperiment> {
  const { experiments, output, id, signal } = options;
  let before: SeenExperiment | null = null;
  let troubles: ReadonlySet<string> = new Set();
  for (let look = 0; ; look += 1) {
    const seen: SeenExperiment = await patiently(options, () => experiments.see(id));
    for (const line of describeChanges(before, seen)) output.say(`${clock()}  ${line}`);
    before = seen;
    if (seen.execution !== 'running') return seen;
    if (look % troubleEveryLooks === 0) {
      const current = await patiently(options, () => experiments.troubles(id));
      for (const trouble of current) {
        if (!troubles.has(keyOf(trouble))) output.say(`${clock()}  ${describeTrouble(trouble, Date.now())}`);
      }
      troubles = new Set(current.map(keyOf));
    }
    output.progress(output.colours.dim(progressLine(seen)));
    await sleep(lookEveryMs, undefined, { signal });
  }
}

/** `failed` and what was cut off by hand are a bad end; rejected and stopped are what the person wanted. */
export function exitCodeOfEnd(seen: SeenExperiment): ExitCode {
  return seen.execution === 'completed' ? exitCodes.done : exitCodes.endedBadly;
}

async function patiently<T>({ output, signal }: FollowOptions, ask: () => Promise<T>): Promise<T> {
  const started = Date.now();
  for (let told = false; ; told = true) {
    try {
      return await ask();
    } catch (error) {
      const transient = error instanceof ClientError && error.kind === 'unreachable';
      if (!transient || Date.now() - started > patienceMs) throw error;
      if (!told) output.warn(`${error.message} Trying again for ${duration(patienceMs)}.`);
      await sleep(lookEveryMs, undefined, { signal });
    }
  }
}

function keyOf(trouble: {
  readonly workflowId: string;
  readonly activity: string;
  readonly message: string;
}) {
  return `${trouble.workflowId} ${trouble.activity} ${trouble.message}`;
}

function progressLine({ phase, status, startedAt }: SeenExperiment): string {
  const since = status?.since ?? startedAt;
  const waiting = status?.waitingFor ? `: ${clean(status.waitingFor)}` : '';
  return `${phase} for ${duration(Date.now() - new Date(since).getTime())}${waiting}`.slice(0, 100);
}

function clock(): string {
  return `${new Date().toISOString().slice(11, 19)} UTC`;
}
