import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import type { Writable } from 'node:stream';

import { execa } from 'execa';

const guard = join(import.meta.dirname, 'guard.py');
/** What is kept of a program's words, characters: enough for a message and the trace below it. */
const keptWords = 4000;
/** The guard's own exit codes; a program that ends with one of them is told apart by not having run. */
const lockedCode = 75;

export interface GuardedOptions {
  /** A Python 3 for the guard; nothing but its standard library is used. */
  readonly python: string;
  readonly argv: readonly [string, ...(readonly string[])];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Absolute: held by the program until its end, and waited for a while when another one holds it. */
  readonly lock?: string;
  /** From being asked to end to being killed. */
  readonly graceSeconds: number;
  /** Receives everything that the program says. */
  readonly log: Writable;
}

/** How a program ended: `code` as a shell tells it (128 + signal), `words` the end of what it said. */
export interface ProgramEnd {
  readonly code: number;
  readonly locked: boolean;
  readonly words: string;
}

export interface GuardedProcess {
  readonly guardPid: number;
  /** Of the program itself, once it runs; null when it never did. */
  readonly pid: Promise<number | null>;
  readonly ended: Promise<ProgramEnd>;
  /** Asks it to end; it is killed after its grace. Again changes nothing. */
  readonly stop: () => void;
}

/**
 * Starts a program that does not outlive this process, however either of them ends, and leaves none of its own children
 * behind (`guard.py`). It is in a session of its own: Ctrl-C does not reach it.
 */
export function startGuarded(options: GuardedOptions): GuardedProcess {
  const { python, argv, lock, graceSeconds, log, cwd, environment } = options;
  const locking = lock === undefined ? [] : ['--lock', lock];
  const child = execa(python, ['-I', guard, ...locking, '--grace', String(graceSeconds), '--', ...argv], {
    cwd,
    env: withoutUndefined(environment),
    extendEnv: false,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    buffer: false,
    reject: false,
  });
  let words = '';
  for (const stream of [child.stdout, child.stderr]) {
    const decoder = new StringDecoder('utf8');
    stream.on('data', (chunk: Buffer) => {
      log.write(chunk);
      words = lastOf(words + decoder.write(chunk));
    });
  }
  // A program that ends by itself closes the pipe from which its guard is told.
  child.stdin.on('error', () => undefined);
  const pid = readPid(child.stdio[3]);
  const ended = child.then(async (result): Promise<ProgramEnd> => {
    const code = result.exitCode ?? 128 + 9;
    const started = (await pid) !== null;
    const reason =
      result.exitCode === undefined && !started ? `${words}\n${result.shortMessage ?? ''}` : words;
    return { code, locked: code === lockedCode && !started, words: reason.trim() };
  });
  return {
    guardPid: child.pid ?? 0,
    pid,
    ended,
    stop: () => void child.stdin.write('stop\n'),
  };
}

/** Whole lines, so that nobody takes the rest of a log line for a sentence. */
function lastOf(words: string): string {
  if (words.length <= keptWords) return words;
  const kept = words.slice(-keptWords);
  return kept.slice(kept.indexOf('\n') + 1);
}

/** The guard tells one line as soon as the program runs, and closes; it closes without a word when it cannot be started. */
async function readPid(stream: NodeJS.ReadableStream | null): Promise<number | null> {
  if (stream === null) return null;
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  const pid = Number(/"pid": (\d+)/.exec(text)?.[1] ?? Number.NaN);
  return Number.isNaN(pid) ? null : pid;
}

function withoutUndefined(environment: GuardedOptions['environment']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
