import { execa, type sendMessage } from 'execa';

/** Anything that goes through JSON. */
export type IpcMessage = Parameters<typeof sendMessage>[0];

export interface IpcProcess {
  readonly pid: number;
  /** What it said first. */
  readonly first: unknown;
  tell(message: IpcMessage): Promise<void>;
  /** Tells it something and waits for the answer. */
  ask(message: IpcMessage): Promise<unknown>;
  /** Asks it to end, and waits until it has. */
  stop(): Promise<void>;
  /** Kills it without a word, and waits until it is gone. */
  kill(): Promise<void>;
}

export interface IpcProcessOptions {
  /** Who it runs as; this process's own user when it is not given. */
  readonly uid?: number;
  readonly cwd?: string;
  /** All of its environment; this process's own when it is not given. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a script of ours, tells it `message`, and waits for its first word. Throws with what it said when it ends instead. */
export async function startIpcProcess(
  script: string,
  message: IpcMessage,
  { uid, cwd, env }: IpcProcessOptions = {},
): Promise<IpcProcess> {
  const child = execa(process.execPath, [script], {
    ipc: true,
    ipcInput: message,
    reject: false,
    all: true,
    maxBuffer: 1_000_000,
    forceKillAfterDelay: 20_000,
    ...(uid !== undefined && { uid, gid: uid }),
    ...(cwd !== undefined && { cwd }),
    ...(env !== undefined && { env, extendEnv: false }),
  });
  // Waiting for a word of a process that ends fails with less than what that process said.
  const first: unknown = await child.getOneMessage().catch(async (cause: unknown) => {
    const { all } = await child;
    throw new Error(`${script} ended at once:\n${all}`, { cause });
  });
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    child.kill(signal);
    await child;
  };
  return {
    pid: child.pid ?? 0,
    first,
    tell: (words) => child.sendMessage(words),
    ask: async (words) => {
      const answer = child.getOneMessage();
      await child.sendMessage(words);
      return answer;
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}
