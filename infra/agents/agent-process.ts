import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';

import { Failure } from '../failure.ts';
import type { ModelUsage } from '../../domain/model-usage.ts';
import type { Agent, AgentEvent, AgentTurn } from './agent.ts';
import { childEnvironment, proxySecrets } from './child-environment.ts';
import { killLeftOvers } from './left-overs.ts';
import { confined } from './confine.ts';
import { countTokens } from './count-tokens.ts';
import { LineSplitter } from './line-splitter.ts';
import { maskSecrets } from './mask-secrets.ts';
import type { Transcript } from './transcript.ts';
import { signalGroup } from '../signal-group.ts';

export interface AgentRun extends AgentTurn {
  readonly agent: Agent;
  /** The folder that the agent works in. */
  readonly cwd: string;
  /** The worker's own environment; the agent gets the allowed part of it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Everything that the agent printed, secrets masked; lines are appended. */
  readonly transcriptFile: string;
  readonly signal?: AbortSignal | undefined;
  /** Folders beside `cwd` and `home` that it may write to; absolute, and they exist. Where the machine allows it, no others. */
  readonly writable?: readonly string[] | undefined;
  /** The most tokens that this run may take, as far as the agent tells them while it runs. */
  readonly maxTokens: number;
  readonly onEvent?: ((event: AgentEvent) => void) | undefined;
}

const limits = { lineBytes: 8 * 1024 * 1024, totalBytes: 64 * 1024 * 1024 };
const graceMs = 5_000;
const closeMs = 2_000;

/** How the process ended, and what it said. */
export interface AgentOutcome {
  readonly exitCode: number | null;
  readonly result: Extract<AgentEvent, { kind: 'result' }> | null;
  readonly text: string;
  readonly lines: number;
  readonly events: number;
  readonly stderrTail: string;
  readonly usage: readonly ModelUsage[];
}

/** Starts the agent, reads it, and comes back when it and everything that it started is gone. */
export async function superviseAgent(run: AgentRun, transcript: Transcript): Promise<AgentOutcome> {
  const runMarker = `HEPHAESTUS_AGENT_RUN=${randomUUID()}`;
  const argv = await confined(
    [...run.agent.argv, ...run.agent.arguments(run)],
    [run.cwd, run.home, ...(run.writable ?? [])],
  );
  const child = start(run, argv, runMarker);
  const trouble = new AbortController();
  const timeout = AbortSignal.timeout(run.wallClockMs);
  const reader = createReader(run, transcript);
  listen(child, reader, trouble);
  const signals = [timeout, trouble.signal, ...(run.signal === undefined ? [] : [run.signal])];
  const exitCode = await untilGone(child, AbortSignal.any(signals), runMarker);
  run.signal?.throwIfAborted();
  trouble.signal.throwIfAborted();
  if (timeout.aborted) {
    const minutes = Math.round(run.wallClockMs / 6000) / 10;
    throw new Failure(
      'AgentFailed',
      `${run.agent.name} did not end within ${minutes} minutes and was stopped`,
    );
  }
  return { exitCode, ...reader.read() };
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

function start(run: AgentRun, argv: readonly string[], runMarker: string): Child {
  const [program = '', ...args] = argv;
  const markers = [runMarker, placeMarker(run.cwd)].map((marker) => marker.split(/=(.*)/s, 2));
  return spawn(program, args, {
    cwd: run.cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...childEnvironment(run.environment),
      HOME: run.home,
      // The agents drop reports with the whole conversation into the temporary folder.
      TMPDIR: join(run.home, 'tmp'),
      ...run.agent.environment(run.home),
      ...Object.fromEntries(markers),
    },
  });
}

function listen(child: Child, reader: Reader, trouble: AbortController): void {
  const guard = (work: () => void): void => {
    try {
      if (trouble.signal.aborted) return;
      work();
      reader.flush();
    } catch (error) {
      trouble.abort(error);
    }
  };
  child.stdout.on('data', (chunk: Buffer) => guard(() => reader.stdout.push(chunk)));
  child.stdout.on('end', () => guard(() => reader.stdout.end()));
  child.stderr.on('data', (chunk: Buffer) => guard(() => reader.stderr.push(chunk)));
  child.stderr.on('end', () => guard(() => reader.stderr.end()));
  child.on('error', (error) => {
    trouble.abort(notStarted(child.spawnargs[0] ?? '', error.message));
  });
}

/** Resolves with the exit code once the child and everything that it started is gone. */
async function untilGone(child: Child, stop: AbortSignal, runMarker: string): Promise<number | null> {
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => resolve(code));
    if (child.pid === undefined) resolve(null);
  });
  const closed = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    if (child.pid === undefined) resolve();
  });
  let killTimer: NodeJS.Timeout | undefined;
  const terminate = (): void => {
    signalGroup(child.pid, 'SIGTERM');
    killTimer = setTimeout(() => signalGroup(child.pid, 'SIGKILL'), graceMs);
  };
  stop.addEventListener('abort', terminate, { once: true });
  if (stop.aborted) terminate();
  try {
    const exitCode = await exited;
    signalGroup(child.pid, 'SIGKILL');
    await killLeftOvers(runMarker);
    // A process that hid its environment may hold the pipes open for ever.
    if (!(await endsWithin(closed, closeMs))) {
      child.stdout.destroy();
      child.stderr.destroy();
    }
    return exitCode;
  } finally {
    clearTimeout(killTimer);
    stop.removeEventListener('abort', terminate);
  }
}

async function endsWithin(work: Promise<void>, limitMs: number): Promise<boolean> {
  const timer = new AbortController();
  const late = wait(limitMs, false, { signal: timer.signal }).catch(() => false);
  const ended = await Promise.race([work.then(() => true), late]);
  timer.abort();
  return ended;
}

interface Reader {
  readonly stdout: LineSplitter;
  readonly stderr: LineSplitter;
  flush(): void;
  read(): Omit<AgentOutcome, 'exitCode'>;
}

function createReader(run: AgentRun, transcript: Transcript): Reader {
  const mask = maskSecrets(secretsOf(run));
  let result: AgentOutcome['result'] = null;
  let text = '';
  let lines = 0;
  let events = 0;
  const errors: string[] = [];
  const tokens = countTokens(run);
  const onLine = (line: string): void => {
    lines += 1;
    transcript.write(line);
    const data = parseJson(line);
    if (data === undefined) return;
    const event = run.agent.readEvent(data);
    events += 1;
    // The closing words are what is said after the last tool call.
    if (event.kind === 'tool') text = '';
    if (event.kind === 'text') text += event.text;
    if (event.kind === 'result') result = event;
    tokens.add(event);
    run.onEvent?.(event);
  };
  return {
    stdout: new LineSplitter(limits, onLine),
    stderr: new LineSplitter(limits, (line) => {
      transcript.write(JSON.stringify({ type: 'stderr', text: line }));
      errors.push(mask(line).slice(0, 500));
      if (errors.length > 8) errors.shift();
    }),
    flush: () => transcript.flush(),
    read: () => ({ result, text, lines, events, stderrTail: errors.join('\n'), usage: tokens.usage() }),
  };
}

/** What starts neither by itself nor by the shell that confines it. */
export function notStarted(program: string, why: string): Failure {
  return new Failure('AgentUnavailable', `${program} could not be started (${why}); is it installed?`);
}

/** Never to be seen in a transcript or a message of this run. */
export function secretsOf({ agent, environment }: AgentRun): string[] {
  return [...agent.secrets, ...proxySecrets(environment)];
}

/** Known before the run: by it the next run in the same folder finds what an earlier one left. */
export function placeMarker(cwd: string): string {
  return `HEPHAESTUS_AGENT_PLACE=${cwd}`;
}

function parseJson(line: string): unknown {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line);
  } catch (error) {
    // A line that is cut short or is no JSON is kept in the transcript and means nothing.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
