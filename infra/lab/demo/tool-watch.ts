import { readFile } from 'node:fs/promises';

/** How long tools were running, and how long none was, by phase; ms. */
export interface ToolTimes {
  readonly busy: Readonly<Record<string, number>>;
  readonly idle: Readonly<Record<string, number>>;
}

export interface ToolWatch {
  /** The phase that the time from now on belongs to; null stops counting. */
  readonly phase: (name: string | null) => void;
  readonly stop: () => ToolTimes;
}

/** How often is looked, ms: tools run for tenths of seconds at least. */
const lookEvery = 50;

/**
 * Watches whether any tool runs: a child of the worker (git, uv, wandb, the agents, Python) or a job of the cluster, which
 * are children of this process beside the `known` ones. What is left of the time is Hephaestus itself, and waiting.
 */
export function watchTools(workerPid: number, known: ReadonlySet<number>): ToolWatch {
  const busy: Record<string, number> = {};
  const idle: Record<string, number> = {};
  let current: string | null = null;
  let last = performance.now();
  const ended = new AbortController();
  const look = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      const [ofWorker, own] = await Promise.all([childrenOf(workerPid), childrenOf(process.pid)]);
      const now = performance.now();
      const running = ofWorker.length > 0 || own.some((pid) => !known.has(pid));
      const times = running ? busy : idle;
      if (current !== null) times[current] = (times[current] ?? 0) + (now - last);
      last = now;
      // Not waited for at the end: a demo that is interrupted must not live on for the sake of its watch.
      await new Promise((resolve) => setTimeout(resolve, lookEvery).unref());
    }
  };
  void look();
  return {
    phase: (name) => {
      current = name;
    },
    stop: () => {
      ended.abort();
      return { busy, idle };
    },
  };
}

/** `/proc/<pid>/task/<pid>/children` (proc(5)): what the main thread has forked and not yet waited for. */
async function childrenOf(pid: number): Promise<number[]> {
  try {
    const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text.split(' ').filter(Boolean).map(Number);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH'))
      return [];
    throw error;
  }
}
