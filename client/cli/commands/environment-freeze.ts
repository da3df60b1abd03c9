import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { freezeProject, type FrozenProject } from '../../../activities/environment/freeze.ts';
import type { FreezeInput } from '../../../activities/environment/interface.ts';
import { TaskNote } from '../../../domain/task-note.ts';
import { loadDiskConfig } from '../../../infra/config/load-config.ts';
import { Failure } from '../../../infra/failure.ts';
import { ensureTools } from '../../../infra/tools/ensure-tools.ts';
import { toolEnvironment } from '../../../infra/tools/tool-environment.ts';
import { toolsRoot } from '../../../infra/tools/tools-root.ts';
import { unlessMissing } from '../../../infra/unless-missing.ts';
import { ClientError } from '../../client-error.ts';
import { InterruptedError, UsageError } from '../cli-errors.ts';
import { pathFrom, run, type CliContext, type DataOptions } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { duration, round } from '../format.ts';
import type { Output } from '../output.ts';

export interface FreezeOptions extends DataOptions {
  readonly python?: string;
  readonly interpreter: string;
  readonly requirements?: string;
}

const progressMs = 250;

/** `environment freeze`: the same builder and the same proof as an experiment's, for the project in any folder. */
export async function freezeByHand(
  context: CliContext,
  folder: string,
  options: FreezeOptions,
): Promise<void> {
  await run(context, options, async (output) => {
    const config = loadDiskConfig(context);
    const source = pathFrom(context, folder);
    const wanted = await wantedEnvironment(source, options);
    const frozen = await whileShowing(output, async () => {
      const tools = await ensureTools({
        root: toolsRoot(context.env),
        which: ['uv', 'python'],
        environment: context.env,
      });
      const environment = { ...toolEnvironment(context.env), ...config.builderEnvironment };
      const dependencies = { disk: config.sharedDisk, uv: tools.uv, python: tools.python, environment };
      return freezeOrRefuse(
        () => freezeProject(dependencies, source, wanted, context.signal),
        context.signal,
      );
    });
    const { proof, reused } = frozen;
    output.answer({ digest: proof.digest, folder: frozen.folder, reused, proof }, linesOf(frozen, context));
    return exitCodes.done;
  });
}

async function freezeOrRefuse(
  freeze: () => Promise<FrozenProject>,
  signal: AbortSignal,
): Promise<FrozenProject> {
  try {
    return await freeze();
  } catch (error) {
    if (signal.aborted) throw new InterruptedError();
    if (error instanceof Failure) throw new ClientError('refused', error.message, error);
    throw error;
  }
}

/** What a task note would say of this folder, checked by the same rules. */
async function wantedEnvironment(
  source: string,
  { python, interpreter, requirements }: FreezeOptions,
): Promise<FreezeInput['environment']> {
  const version = python ?? (await unlessMissing(readFile(join(source, '.python-version'), 'utf8')))?.trim();
  if (version === undefined) {
    throw new UsageError(
      `Which Python? ${source} has no .python-version: add --python, for example --python 3.11.`,
    );
  }
  const file = requirements === undefined ? { lock: 'uv.lock' } : { requirements };
  const parsed = TaskNote.shape.environment.safeParse({ python: version, interpreter, ...file });
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `--${path.join('.')}: ${message}`);
  throw new UsageError(problems.join('\n'));
}

/** A line that says how long it has been going on; most of it is spent in uv and in the rehearsal. */
async function whileShowing<T>(output: Output, work: () => Promise<T>): Promise<T> {
  const begun = Date.now();
  const timer = setInterval(() => {
    output.progress(output.colours.dim(`building and proving, ${duration(Date.now() - begun)}`));
  }, progressMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

function linesOf({ folder, proof, reused }: FrozenProject, { program }: CliContext): string[] {
  const took = Object.values(proof.times).reduce((sum, ms) => sum + ms, 0);
  const size = `${proof.packages.length} packages, ${proof.files} files, ${round(proof.bytes / 1e6)} MB`;
  return [
    `${reused ? 'Found' : `Built and proven in ${duration(took)}`}: ${proof.digest}`,
    `Python ${proof.python.version}, ${size}`,
    `In the job: . ${proof.path}/venv/bin/activate`,
    ...proof.told.map(({ code, sentence }) => `Note (${code}): ${sentence}`),
    ...proof.rehearsal.missingGuarantees.map((sentence) => `Not held here: ${sentence}`),
    `Its proof: ${folder}/environment.json, or: ${program} environment show ${proof.digest.slice(0, 12)}`,
  ];
}
