import { execa } from 'execa';
import { signalGroup } from '../../signal-group.ts';

export interface ChildOptions {
  readonly name: string;
  readonly argv: readonly [string, ...(readonly string[])];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** A process of the demo that runs until it is told to end; its whole group ends with it. */
export interface Child {
  readonly name: string;
  readonly pid: number;
  /** The end of what it said, for when it ends before it should. */
  readonly output: () => string;
  /** Rejects when the process ends by itself. */
  readonly died: Promise<never>;
  stop(): Promise<void>;
}

const keptOutput = 200;
/** How long a process may take to end by itself, ms: longer than a worker gives its activities, which end their children. */
const grace = 15_000;

export function startChild({ name, argv, cwd, environment }: ChildOptions): Child {
  const [program, ...rest] = argv;
  const lines: string[] = [];
  let stopping = false;
  const child = execa(program, rest, {
    cwd,
    env: environment,
    extendEnv: false,
    stdin: 'ignore',
    detached: true,
    reject: false,
    buffer: false,
    all: true,
  });
  const read = async (): Promise<void> => {
    for await (const line of child.iterable({ from: 'all' })) {
      lines.push(line);
      if (lines.length > keptOutput) lines.shift();
    }
  };
  const reading = read();
  const died = child.then(async ({ exitCode, signal }) => {
    await reading;
    if (stopping) return new Promise<never>(() => undefined);
    throw new Error(
      `${name} ended by itself (${signal ?? exitCode ?? 'no code'}):\n${lines.slice(-20).join('\n')}`,
    );
  });
  return {
    name,
    pid: child.pid ?? 0,
    output: () => lines.join('\n'),
    died,
    stop: async () => {
      stopping = true;
      await endGroup(child);
    },
  };
}

/** Asks the whole group, waits, then insists; returns when nothing of it is left. */
async function endGroup(child: { readonly pid?: number | undefined } & PromiseLike<unknown>): Promise<void> {
  const { pid } = child;
  if (pid === undefined) return;
  signalGroup(pid, 'SIGTERM');
  const timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), grace);
  await child;
  clearTimeout(timer);
  signalGroup(pid, 'SIGKILL');
}
