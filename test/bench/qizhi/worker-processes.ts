import { join } from 'node:path';

import { pause } from '../../../infra/pause.ts';
import { startIpcProcess, type IpcMessage, type IpcProcess } from '../../support/ipc-process.ts';
import { knownProcess, type KnownProcess } from './processes.ts';

const qizhiScript = join(import.meta.dirname, 'worker-process.ts');

/** One worker of the bench of training jobs, once it polls. */
export function startWorkerProcess(settings: IpcMessage): Promise<IpcProcess> {
  return startIpcProcess(qizhiScript, settings);
}

export interface MortalWorkers {
  readonly kills: () => number;
  /** All that ever lived. */
  readonly processes: () => readonly KnownProcess[];
  stop(): Promise<void>;
}

/**
 * Keeps one worker process for each of the settings alive: each is killed after a time drawn between 0 and twice the mean,
 * and started again at once. `draw` gives numbers in [0, 1).
 */
export async function startMortalWorkers(
  all: readonly IpcMessage[],
  {
    meanLifeMs,
    draw,
    script = qizhiScript,
  }: { readonly meanLifeMs: number; readonly draw: () => number; readonly script?: string },
): Promise<MortalWorkers> {
  const stopping = new AbortController();
  const processes: KnownProcess[] = [];
  let kills = 0;
  const live = async (settings: IpcMessage, first: IpcProcess): Promise<void> => {
    let worker = first;
    for (;;) {
      processes.push(await knownProcess(worker.pid));
      await pause(2 * meanLifeMs * draw(), stopping.signal);
      if (stopping.signal.aborted) return worker.stop();
      await worker.kill();
      kills += 1;
      worker = await startIpcProcess(script, settings);
    }
  };
  const lives = await Promise.all(
    all.map(async (settings) => {
      const first = await startIpcProcess(script, settings);
      return { settings, first };
    }),
  );
  const running = Promise.all(lives.map(({ settings, first }) => live(settings, first)));
  return {
    kills: () => kills,
    processes: () => processes,
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}
