import { section, type Config } from '../../infra/config/config.ts';
import { diskOf } from '../../infra/home/disk-kind.ts';
import { memoryOf } from '../../infra/memory-of.ts';
import { pause } from '../../infra/pause.ts';
import type { Supervised } from '../../infra/supervisor/supervise.ts';
import type { Experiments } from '../experiments.ts';
import { pageUrlOf } from './address-of.ts';
import type { Board, BoardEvent, BoardExperiment, BoardService } from './board.ts';
import { watchExperiments } from './experiment-watch.ts';
import { describeServiceChange, describeExperimentChanges } from './up-events.ts';

export interface WatchBoardOptions {
  readonly config: Config;
  readonly openExperiments: (settings: Config['temporal']) => Experiments;
  /** Every change once, for whoever reads lines. */
  readonly onEvent: (text: string) => void;
  /** Called about once a second. */
  readonly onBoard: (board: Board) => void;
}

export interface BoardWatch {
  /** Writes down that a service changed. */
  serviceChanged(service: Supervised): void;
  /** Looks and tells until the signal. */
  run(services: readonly Supervised[], signal: AbortSignal): Promise<void>;
}

/** So that nobody wonders why changes on GitHub take a while to be seen. */
const noWebhook: BoardService = {
  name: 'webhook',
  state: { status: 'stopped' },
  restarts: 0,
  memoryBytes: null,
  remark: 'GITHUB_WEBHOOK_SECRET is not set: GitHub is asked, not heard',
};

const drawEveryMs = 1000;
const lookEveryMs = 2000;
const keptEvents = 4;

/** Gathers what the screen of `up` shows: services, experiments, disk. What cannot be had is said to be stale. */
export function watchBoard(options: WatchBoardOptions): BoardWatch {
  const { config, onEvent, onBoard } = options;
  const startedAt = Date.now();
  const events: BoardEvent[] = [];
  let rows: readonly BoardExperiment[] | null = null;
  let stale: string | null = null;

  const note = (text: string): void => {
    events.push({ at: Date.now(), text });
    if (events.length > keptEvents) events.shift();
    onEvent(text);
  };

  async function drawWhile(services: readonly Supervised[], signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const [free, shown] = await Promise.all([
        freeBytes(config.home),
        Promise.all(services.map((each) => present(each, config))),
      ]);
      onBoard({
        now: Date.now(),
        startedAt,
        home: config.home,
        freeBytes: free,
        uiUrl: config.temporal.uiUrl,
        services: [...shown, ...(config.webhook === null ? [noWebhook] : []), pageRow(config, services)],
        experiments: rows,
        stale,
        events,
      });
      await pause(drawEveryMs, signal);
    }
  }

  async function lookWhile(services: readonly Supervised[], signal: AbortSignal): Promise<void> {
    let opened: Experiments | null = null;
    const watch = watchExperiments(() => (opened ??= options.openExperiments(config.temporal)));
    while (!signal.aborted) {
      // Without a worker nobody could tell more than what is known already.
      if (services.some(({ state }) => state().status !== 'ready')) {
        stale = rows === null ? null : 'not everything runs yet; this is how it was before';
      } else {
        try {
          const before: readonly BoardExperiment[] | null = rows;
          rows = await watch.look();
          stale = null;
          for (const text of describeExperimentChanges(before, rows)) note(text);
        } catch (error) {
          // Whatever it is, services are kept running: looking at them must not end them.
          if (!(error instanceof Error)) throw error;
          stale = error.message;
          // A connection that was refused waits longer and longer before it tries again: the next look makes a new one.
          await (opened as Experiments | null)?.close();
          opened = null;
        }
      }
      await pause(lookEveryMs, signal);
    }
    await (opened as Experiments | null)?.close();
  }

  return {
    serviceChanged(service) {
      const text = describeServiceChange(service);
      if (text !== null) note(text);
    },
    async run(services, signal) {
      await Promise.all([drawWhile(services, signal), lookWhile(services, signal)]);
    },
  };
}

/** The webhook server shows it where there is one, and else this process itself. */
function pageRow(config: Config, services: readonly Supervised[]): BoardService {
  const webhook = services.find(({ name }) => name === 'webhook');
  return {
    name: 'page',
    state: webhook?.state() ?? { status: 'ready', pid: process.pid, since: Date.now() },
    restarts: 0,
    memoryBytes: null,
    remark: pageUrlOf(section(config, 'page')),
  };
}

/** null for a disk that gives no answer: what stands on it tells that in its own words. */
async function freeBytes(folder: string): Promise<number | null> {
  try {
    return (await diskOf(folder)).freeBytes;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null;
    throw error;
  }
}

async function present(service: Supervised, { temporal, webhook }: Config): Promise<BoardService> {
  const state = service.state();
  const pid = 'pid' in state ? state.pid : null;
  const remarks: Readonly<Record<string, string>> = {
    Temporal: temporal.uiUrl,
    worker: 'local, control, networked',
    webhook: webhook === null ? '' : `http://${webhook.host}:${webhook.port}/webhooks/github`,
  };
  return {
    name: service.name,
    state,
    restarts: service.restarts(),
    memoryBytes: pid === null ? null : await memoryOf(pid),
    remark: remarks[service.name] ?? '',
  };
}
