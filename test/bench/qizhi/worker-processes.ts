import { join } from 'node:path';

import { execa, type sendMessage } from 'execa';

import { pause } from '../../../infra/pause.ts';

const qizhiScript = join(import.meta.dirname, 'worker-process.ts');

/** What a worker process of some bench is told first: anything that goes through JSON. */
type Settings = Parameters<typeof sendMessage>[0];

export interface WorkerProcess {
  readonly pid: number;
  /** Asks it to end, and waits until it has. */
  stop(): Promise<void>;
  /** Kills it without a word, and waits until it is gone. */
  kill(): Promise<void>;
}

/** Starts a worker in a process of its own and waits until it polls. Throws with its own words when it ends instead. */
export async function startWorkerProcess(
  settings: Settings,
  script: string = qizhiScript,
): Promise<WorkerProcess> {
  const child = execa(process.execPath, [script], {
    ipc: true,
    ipcInput: settings,
    reject: false,
    all: true,
    maxBuffer: 1_000_000,
    forceKillAfterDelay: 20_000,
  });
  await Promise.race([
    child.getOneMessage(),
    child.then(({ all }) => Promise.reject(new Error(`a worker ended at once:\n${all}`))),
  ]);
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    child.kill(signal);
    await child;
  };
  return { pid: child.pid ?? 0, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') };
}

export interface MortalWorkers {
  readonly kills: () => number;
  /** The process ids of all that ever lived. */
  readonly pids: ReadonlySet<number>;
  stop(): Promise<void>;
}

/**
 * Keeps one worker process for each of the settings alive: each is killed after a time drawn between 0 and twice the mean,
 * and started again at once. `draw` gives numbers in [0, 1).
 */
export async function startMortalWorkers(
  all: readonly Settings[],
  {
    meanLifeMs,
    draw,
    script,
  }: { readonly meanLifeMs: number; readonly draw: () => number; readonly script?: string },
): Promise<MortalWorkers> {
  const stopping = new AbortController();
  const pids = new Set<number>();
  let kills = 0;
  const live = async (settings: Settings, first: WorkerProcess): Promise<void> => {
    let worker = first;
    for (;;) {
      pids.add(worker.pid);
      await pause(2 * meanLifeMs * draw(), stopping.signal);
      if (stopping.signal.aborted) return worker.stop();
      await worker.kill();
      kills += 1;
      worker = await startWorkerProcess(settings, script);
    }
  };
  const lives = await Promise.all(
    all.map(async (settings) => {
      const first = await startWorkerProcess(settings, script);
      return { settings, first };
    }),
  );
  const running = Promise.all(lives.map(({ settings, first }) => live(settings, first)));
  return {
    kills: () => kills,
    pids,
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}
