import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import type { ModelUsage } from '../../domain/model-usage.ts';
import { Failure } from '../failure.ts';
import {
  type AgentOutcome,
  type AgentRun,
  notStarted,
  placeMarker,
  secretsOf,
  superviseAgent,
} from './agent-process.ts';
import { killLeftOvers } from './left-overs.ts';
import { maskSecrets } from './mask-secrets.ts';
import { failureOfStatus, probeEndpoint } from './probe-endpoint.ts';
import { openTranscript } from './transcript.ts';

export interface AgentAnswer {
  /** The closing words. */
  readonly text: string;
  readonly structured: unknown;
  readonly usage: readonly ModelUsage[];
}

/** One argument of a program is at most 128 KiB on Linux. */
const maxPromptBytes = 120_000;

/**
 * Runs one turn of an agent to its end. Only a result event that says success, together with exit code 0, is success.
 * Throws `AgentUnavailable`, `AgentRefused`, `AgentFailed`, `AgentBudgetSpent`, `AgentOutputInvalid` (this is no such agent at all), and
 * the signal's own reason when it was cancelled; by then no process of the run is left.
 */
export async function runAgent(run: AgentRun): Promise<AgentAnswer> {
  run.signal?.throwIfAborted();
  if (Buffer.byteLength(run.prompt) > maxPromptBytes) {
    throw new Failure(
      'AgentFailed',
      `the prompt is longer than ${maxPromptBytes} bytes; shorten the texts in it`,
    );
  }
  // A worker that was killed leaves its agent running in this very folder.
  await killLeftOvers(placeMarker(run.cwd));
  if (!run.resume) await probeEndpoint(run.agent, run.signal);
  await writeHome(run);
  const transcript = openTranscript(run.transcriptFile, maskSecrets(secretsOf(run)));
  try {
    const outcome = await superviseAgent(run, transcript);
    return await judge(run, outcome);
  } finally {
    transcript.close();
  }
}

async function judge(run: AgentRun, outcome: AgentOutcome): Promise<AgentAnswer> {
  const { agent } = run;
  const { exitCode, result, text } = outcome;
  if (result?.ok === true && exitCode === 0) {
    return { ...masked(run, result.text ?? text, result.structured), usage: outcome.usage };
  }
  const message = maskSecrets(secretsOf(run))(result?.message ?? '');
  const status = agent.statusOf(exitCode, message);
  if (status !== null) {
    const failure = failureOfStatus(agent.name, status, new URL(agent.probe.url).origin);
    if (failure !== null) throw failure;
  }
  // A shell's own words for what it could not start.
  if ((exitCode === 126 || exitCode === 127) && outcome.events === 0) {
    throw notStarted(agent.argv[0] ?? '', outcome.stderrTail);
  }
  if (outcome.events === 0 && outcome.lines > 0) {
    throw new Failure(
      'AgentOutputInvalid',
      `${agent.argv.join(' ')} printed ${outcome.lines} lines, none of them an event of ${agent.name}; is this the right program and version?`,
    );
  }
  // Where the agent gives no status the endpoint itself says whether it is there.
  if (exitCode !== 0) await probeEndpoint(agent, run.signal);
  const why = agent.explainExit(exitCode) ?? (message || outcome.stderrTail || 'it ended without a result');
  throw new Failure('AgentFailed', `${agent.name} failed (exit code ${exitCode ?? 'none, killed'}): ${why}`);
}

/** What an agent was talked into saying of its own key goes no further. */
function masked(run: AgentRun, text: string, structured: unknown): Pick<AgentAnswer, 'text' | 'structured'> {
  const mask = maskSecrets(secretsOf(run));
  const json = JSON.stringify(structured ?? null);
  return { text: mask(text), structured: JSON.parse(mask(json)) as unknown };
}

async function writeHome(run: AgentRun): Promise<void> {
  await mkdir(join(run.home, 'tmp'), { recursive: true, mode: 0o700 });
  for (const [path, content] of Object.entries(run.agent.files)) {
    const file = join(run.home, path);
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, content, { mode: 0o600 });
  }
}
