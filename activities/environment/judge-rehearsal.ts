import type { CommandRehearsal, RehearsalCode } from './interface.ts';
import type { RehearsalFacts } from './rehearsal-facts.ts';

/** What W&B wrote below the attempt's folder. */
export interface SeenRun {
  readonly status: 'offline' | 'online' | 'renamed' | 'missing';
  /** Rows of history. */
  readonly rows: number;
  /** Ids of other runs that were begun instead. */
  readonly otherIds: readonly string[];
}

export interface Rehearsed extends RehearsalFacts {
  readonly run: SeenRun;
  readonly seconds: number;
  /** The last lines of what the command wrote. */
  readonly outputTail: string;
  /** Why the start script itself refused to begin; null when it did not. */
  readonly refusal: string | null;
  /** Whether this machine has a GPU. */
  readonly hasGpu: boolean;
}

type Judgement = Pick<CommandRehearsal, 'status' | 'code' | 'sentence'>;

/** Exit code of a start script that finds the environment unfit. */
const refused = 78;

/**
 * What libraries say when there is no device. They give no code for it, and the command's own exit code is any; so this
 * is only ever used to tell a failure on a machine without a GPU more kindly, never to let one pass. A build without
 * CUDA is not among them: that one would fail on a GPU too.
 */
const noDevice =
  /no CUDA GPUs are available|Found no NVIDIA driver|no CUDA-capable device|CUDA_ERROR_NO_DEVICE|cudaErrorNoDevice|cudaErrorInsufficientDriver|CUDA driver version is insufficient|libcuda\.so(?:\.1)?: cannot open shared object|Can't initialize NVML|NVML Shared Library Not Found|No visible GPU devices|ProcessGroupNCCL is only supported with GPUs/i;

/** Whether a rehearsal promises that the job will start, with the reason and what to do. */
export function judgeRehearsal(rehearsed: Rehearsed): Judgement {
  const { connections, run, code, timeIsUp } = rehearsed;
  if (connections.length > 0) {
    return failed(
      'connection-attempted',
      `The command tried to reach the network: ${connections.join(', ')}. A job has none, and would wait for it or fail. Take it out, or bring what it fetches along on the shared disk.`,
    );
  }
  if (code === refused && rehearsed.refusal !== null) {
    return failed('start-refused', `The start script refused to begin: ${rehearsed.refusal}.`);
  }
  if (run.status === 'online') {
    return failed(
      'run-online',
      'The W&B run was begun online. Take wandb.init(mode=…), wandb.login() and WANDB_MODE out of the training script: the start script sets WANDB_MODE=offline.',
    );
  }
  if (code !== 0 && !timeIsUp) return ended(rehearsed);
  if (run.status === 'renamed') {
    return failed(
      'run-renamed',
      `The W&B run took another id than the one from WANDB_RUN_ID: ${run.otherIds.join(', ')}. Take id=… out of wandb.init(…).`,
    );
  }
  if (run.status === 'missing') return failed('run-missing', missingRun(rehearsed));
  return { status: 'passed', code: null, sentence: passedSentence(rehearsed) };
}

function ended(rehearsed: Rehearsed): Judgement {
  const { code, seconds, outputTail, hasGpu } = rehearsed;
  const words = outputTail.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
  const how = code === null ? 'was killed' : `ended with exit code ${code}`;
  if (!hasGpu && noDevice.test(outputTail)) {
    const sentence = `The command could not be rehearsed without a GPU: it ${how} after ${seconds} s, asking for one ("${words}").`;
    return { status: 'skipped', code: 'needs-gpu', sentence };
  }
  return failed(
    'command-failed',
    `The command ${how} after ${seconds} s: ${words === '' ? 'it wrote nothing' : `"${words}"`}. It would do the same in the job.`,
  );
}

function missingRun({ timeIsUp, seconds }: Rehearsed): string {
  if (timeIsUp) {
    return `No W&B run was begun within ${seconds} s. Expected wandb.init() before the long work; with HEPHAESTUS_REHEARSAL=1 the command may do less.`;
  }
  return 'The command ended well, but began no W&B run. The training script must call wandb.init(), without mode=…, and keep WANDB_DIR, WANDB_MODE and WANDB_RUN_ID as they are set.';
}

function passedSentence({ timeIsUp, seconds, run }: Rehearsed): string {
  const end = timeIsUp ? `was still at work after ${seconds} s` : `ended by itself after ${seconds} s`;
  const rows = run.rows === 0 ? 'had no row yet' : `had ${run.rows} ${run.rows === 1 ? 'row' : 'rows'}`;
  return `The command started and ${end}; its W&B run was offline under the chosen id and ${rows}; no connection was seen.`;
}

function failed(code: RehearsalCode, sentence: string): Judgement {
  return { status: 'failed', code, sentence };
}
