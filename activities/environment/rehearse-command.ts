import { createHash, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

import { execa } from 'execa';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';

import { killLeftOvers } from '../../infra/agents/left-overs.ts';
import {
  detectIsolation,
  isolatedCommand,
  missingGuarantees,
  type Isolation,
} from '../../infra/isolation/isolation.ts';
import { unlessMissing } from '../../infra/unless-missing.ts';
import { findRunLogs } from '../../infra/wandb/find-run-log.ts';
import { readTransactionLog } from '../../infra/wandb/transaction-log.ts';
import { sourceDir } from '../attempts/attempt-paths.ts';
import { lookAtRecords, readLogTail } from '../attempts/read-records.ts';
import type { EnvironmentDependencies } from './freeze.ts';
import type { CommandRehearsal, RehearsalCode, RehearseCommandInput } from './interface.ts';
import { judgeRehearsal, type SeenRun } from './judge-rehearsal.ts';
import { readRehearsalFacts } from './rehearsal-facts.ts';
import { hasGpu, setStage, type RehearsalStage } from './rehearsal-stage.ts';

const defaultLimitSeconds = 120;
/** What the start script takes to end its command in good order, and some more. */
const graceSeconds = 45;
const isolationFailed = 125;

/**
 * Rehearses the experiment's own command with the start script of a job, where everything is as there but the GPU:
 * `HEPHAESTUS_REHEARSAL=1` asks it to do little, and after the time limit it is told to end, which is no failure: what
 * counts is that it starts, begins its W&B run as it should, and never reaches for the network.
 *
 * In namespaces every attempt to reach out is seen by the kernel's counters, which know no names; look-ups and
 * connections of Python are seen by name everywhere. Not seen: with neither, what other programs try.
 *
 * Throws `GitFailed`, `EnvironmentNotPortable` (there is no environment), and what the disk throws.
 */
export async function rehearseCommand(
  dependencies: EnvironmentDependencies,
  input: RehearseCommandInput,
  signal: AbortSignal,
): Promise<CommandRehearsal> {
  const record = await recordOf(dependencies, input);
  const known = await readPassed(record);
  if (known !== undefined) return known;
  const isolation = dependencies.isolation ?? (await detectIsolation());
  const rehearsal = await rehearseNow(dependencies, input, isolation, signal);
  await mkdir(dirname(record), { recursive: true });
  await writeFileAtomic(record, `${JSON.stringify({ ...input, ...rehearsal }, null, 2)}\n`);
  return rehearsal;
}

async function rehearseNow(
  dependencies: EnvironmentDependencies,
  input: RehearseCommandInput,
  isolation: Isolation,
  signal: AbortSignal,
): Promise<CommandRehearsal> {
  const { sharedDir, jobSharedDir } = dependencies.disk;
  const canShow = isolation === 'namespaces';
  const missing = guarantees(isolation, input);
  if (!canShow && sharedDir !== jobSharedDir) {
    return notPossible(
      `The job sees the shared disk at ${jobSharedDir}, and this machine cannot show it there (${sharedDir}).`,
      missing,
    );
  }
  const scratch = await mkdtemp(join(tmpdir(), 'rehearsal-'));
  try {
    const stage = await setStage({ ...input, dependencies, scratch, canShow });
    const { seconds, exitCode, words } = await perform(stage, dependencies, isolation, signal);
    const facts = await readRehearsalFacts(stage.folder);
    if (exitCode === isolationFailed && facts.code === null) return notPossible(words, missing);
    const [run, { exit }, logTail] = await Promise.all([
      seenRun(stage.attemptFolder, input.runId),
      lookAtRecords(stage.attemptFolder),
      readLogTail(stage.attemptFolder),
    ]);
    const outputTail = logTail === '' ? words : logTail;
    const refusal = exit?.reason ?? null;
    const judgement = judgeRehearsal({
      ...facts,
      run,
      seconds,
      outputTail,
      refusal,
      hasGpu: await hasGpu(),
    });
    const { connections } = facts;
    const sawRun = run.status === 'offline';
    return { ...judgement, sawRun, connections, missingGuarantees: missing, seconds, outputTail };
  } finally {
    await rm(scratch, { recursive: true, force: true, maxRetries: 3 });
  }
}

interface Performance {
  readonly seconds: number;
  readonly exitCode: number | undefined;
  /** What was written besides the command's own log. */
  readonly words: string;
}

async function perform(
  stage: RehearsalStage,
  { environment, rehearsalSeconds = defaultLimitSeconds }: EnvironmentDependencies,
  isolation: Isolation,
  signal: AbortSignal,
): Promise<Performance> {
  const mark = randomUUID();
  const counts = isolation === 'namespaces' ? 'yes' : 'no';
  const supervisor = ['sh', await copyOf('rehearsal.sh', stage.folder), String(rehearsalSeconds)];
  const argv = [...supervisor, stage.folder, counts, 'sh', stage.startScript];
  const [program, ...args] = isolatedCommand(isolation, argv, stage.surroundings);
  const begun = performance.now();
  const child = execa(program, args, {
    cwd: '/',
    env: {
      PATH: environment['PATH'] ?? '/usr/bin:/bin',
      HOME: '/nonexistent',
      LANG: 'C.UTF-8',
      HEPHAESTUS_REHEARSAL: '1',
      HEPHAESTUS_REHEARSAL_MARK: mark,
    },
    extendEnv: false,
    reject: false,
    all: true,
    stdin: 'ignore',
    // Not waited for: what the command leaves running may hold its output open.
    buffer: { stdout: true, stderr: true },
    timeout: (rehearsalSeconds + graceSeconds) * 1000,
    killSignal: 'SIGKILL',
    cancelSignal: signal,
  });
  try {
    const result = await child;
    signal.throwIfAborted();
    const seconds = Math.round((performance.now() - begun) / 100) / 10;
    return { seconds, exitCode: result.exitCode, words: result.all.trim().slice(-2000) };
  } finally {
    await killLeftOvers(`HEPHAESTUS_REHEARSAL_MARK=${mark}`);
  }
}

/** The code may stand in a folder that is hidden. */
async function copyOf(name: string, folder: string): Promise<string> {
  const copy = join(folder, name);
  await writeFileAtomic(copy, await readFile(join(import.meta.dirname, name)));
  return copy;
}

async function seenRun(attemptFolder: string, runId: string): Promise<SeenRun> {
  const { offline, online, otherIds } = await findRunLogs(attemptFolder, runId);
  const path = offline.at(-1);
  if (online.length > 0) return { status: 'online', rows: 0, otherIds };
  if (path === undefined) return { status: otherIds.length > 0 ? 'renamed' : 'missing', rows: 0, otherIds };
  const log = await readTransactionLog(path);
  return { status: log.run === null ? 'missing' : 'offline', rows: log.rows, otherIds };
}

function guarantees(isolation: Isolation, { note }: RehearseCommandInput): readonly string[] {
  const nodes = note.job.instance_count;
  return [
    ...missingGuarantees(isolation),
    ...(isolation === 'namespaces'
      ? []
      : [
          'Only connections of Python programs by name were watched for; those of other programs were not seen.',
        ]),
    ...(nodes === 1 ? [] : [`The job runs on ${nodes} nodes; one alone was rehearsed.`]),
  ];
}

function notPossible(why: string, missing: readonly string[]): CommandRehearsal {
  return {
    status: 'skipped',
    code: 'not-possible-here',
    sentence: `The command could not be rehearsed: ${why}`,
    sawRun: false,
    connections: [],
    missingGuarantees: missing,
    seconds: 0,
    outputTail: '',
  };
}

/** `<experiment>/rehearsals/<what was rehearsed>.json`. */
async function recordOf({ disk }: EnvironmentDependencies, input: RehearseCommandInput): Promise<string> {
  const source = sourceDir(disk.sharedDir, input.experimentId);
  const environment = (await unlessMissing(readlink(join(source, '.venv')))) ?? '';
  const what = [input.headSha, input.seed, input.runId, input.note.job.command, environment];
  const name = createHash('sha256').update(JSON.stringify(what)).digest('hex').slice(0, 16);
  return join(dirname(source), 'rehearsals', `${basename(input.headSha)}-s${input.seed}-${name}.json`);
}

const Passed = z.object({
  status: z.literal('passed'),
  code: z.null(),
  sentence: z.string(),
  sawRun: z.boolean(),
  connections: z.array(z.string()),
  missingGuarantees: z.array(z.string()),
  seconds: z.number(),
  outputTail: z.string(),
}) satisfies z.ZodType<CommandRehearsal & { code: RehearsalCode | null }>;

/** Undefined for none, for one that did not pass, and for one that cannot be read: then it is done again. */
async function readPassed(record: string): Promise<CommandRehearsal | undefined> {
  const text = await unlessMissing(readFile(record, 'utf8'));
  if (text === undefined) return undefined;
  try {
    return Passed.safeParse(JSON.parse(text)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
