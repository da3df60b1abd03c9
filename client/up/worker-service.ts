import { extname, join } from 'node:path';
import type { Writable } from 'node:stream';

import proto from '@temporalio/proto';

import type { WebhookSettings } from '../../infra/config/config.ts';
import { zones } from '../../infra/config/keys.ts';
import { processEnvironment } from '../../infra/env.ts';
import type { ProgramEnd } from '../../infra/supervisor/guarded-process.ts';
import type { Service } from '../../infra/supervisor/supervise.ts';
import { queues } from '../../workflows/contract.ts';
import { UsageError } from '../cli/cli-errors.ts';
import { exitCodes } from '../cli/exit-codes.ts';
import type { TemporalLink } from '../temporal-link.ts';
import { addressOf } from './address-of.ts';

export interface ChildOptions {
  readonly cwd: string;
  readonly home: string;
  readonly log: Writable;
}

const { TaskQueueType } = proto.temporal.api.enums.v1;
/** The command line itself; `.js` where it was built. */
const cli = join(import.meta.dirname, '..', 'cli', `index${extname(import.meta.filename)}`);
const lookMs = 2000;
/** Busy is not dead. */
const aliveMs = 10_000;
/** A worker asks for the next step of an experiment, and again a minute later when there was none. */
const polledWithinMs = 150_000;
/** Ends for a reason of configuration, one after the other: the first may be a file that was just being written. */
const patience = 3;

/** The worker that serves every zone. */
export function workerService(options: ChildOptions & { readonly link: TemporalLink }): Service {
  return {
    ...ownCommand(options, 'worker', ['--zone', ...zones]),
    // Longer than the worker gives its activities, which end their own children.
    graceSeconds: 15,
    readyWithinMs: 120_000,
    isReady: (pid) => pollsEveryQueue(options.link, pid),
    isAlive: (pid) => polledLately(options.link, pid),
  };
}

/** The server for GitHub's deliveries. */
export function webhookService(options: ChildOptions & { readonly settings: WebhookSettings }): Service {
  const url = `${addressOf(options.settings)}/healthz`;
  return {
    ...ownCommand(options, 'webhook', []),
    graceSeconds: 10,
    readyWithinMs: 60_000,
    isReady: () => answers(url, lookMs),
    isAlive: () => answers(url, aliveMs),
  };
}

type OwnCommand = Pick<Service, 'name' | 'argv' | 'cwd' | 'environment' | 'log' | 'judgeEnds'>;

/** A child reads the settings by itself, so that it sees a mended `.env` when it is started again. */
function ownCommand({ cwd, home, log }: ChildOptions, name: string, args: readonly string[]): OwnCommand {
  return {
    name,
    argv: [process.execPath, cli, name, ...args],
    cwd,
    // Node keeps there what it made of the sources, by their content: loading them is half of a start otherwise.
    environment: { NODE_COMPILE_CACHE: join(home, 'compile-cache'), ...processEnvironment() },
    log,
    judgeEnds: async (ends) => {
      const wrong = ends.slice(-patience);
      if (wrong.length < patience || !wrong.every(({ code }) => code === exitCodes.usage)) return null;
      return new UsageError(
        `The ${name} cannot be started with this configuration.\n${plainWords(wrong.at(-1))}`,
      );
    },
  };
}

/** What a program said to people: its log lines are JSON. */
export function plainWords(end: ProgramEnd | undefined): string {
  const lines = (end?.words ?? '').split('\n').filter((line) => line.trim() !== '' && !line.startsWith('{'));
  return lines.slice(-15).join('\n');
}

type Pollers = readonly proto.temporal.api.taskqueue.v1.IPollerInfo[];

async function pollersOf({ client, settings }: TemporalLink, queue: string): Promise<Pollers> {
  const taskQueueType =
    queue === queues.experiments
      ? TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
      : TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY;
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: settings.namespace,
    taskQueue: { name: queue },
    taskQueueType,
  });
  return pollers ?? [];
}

/** Temporal remembers pollers that are gone for minutes, so each is known by its process. */
function isOf(pid: number): (poller: Pollers[number]) => boolean {
  return ({ identity }) => identity?.endsWith(` ${pid}`) === true;
}

async function pollsEveryQueue(link: TemporalLink, pid: number): Promise<boolean> {
  try {
    return await link.within(lookMs, async () => {
      // One after the other: until the worker is there, each look costs one question.
      for (const name of Object.values(queues))
        if (!(await pollersOf(link, name)).some(isOf(pid))) return false;
      return true;
    });
  } catch (error) {
    // While Temporal is away nobody polls it.
    if (error instanceof Error) return false;
    throw error;
  }
}

/** The steps of experiments are short, so that whoever can work always asks for the next one. */
async function polledLately(link: TemporalLink, pid: number): Promise<boolean> {
  try {
    const pollers = await link.within(aliveMs, () => pollersOf(link, queues.experiments));
    const times = pollers.filter(isOf(pid)).map(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0));
    return Date.now() - Math.max(0, ...times) * 1000 < polledWithinMs;
  } catch (error) {
    // While Temporal is away nothing is known of its workers.
    if (error instanceof Error) return true;
    throw error;
  }
}

async function answers(url: string, withinMs: number): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(withinMs) })).ok;
  } catch (error) {
    // Refused, reset or too late: it does not serve yet, and is asked again.
    if (error instanceof Error) return false;
    throw error;
  }
}
