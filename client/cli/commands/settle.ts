import { InvalidArgumentError, type Command } from 'commander';

import type { JobStatus } from '../../../domain/experiment.ts';
import { UsageError } from '../cli-errors.ts';
import { actor, withExperiments, withJson, type CliContext, type DataOptions } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Experiments } from '../../experiments.ts';

interface SettleOptions extends DataOptions {
  readonly job?: string;
  readonly none?: boolean;
  readonly seed?: number;
  readonly by?: string;
}

/** `settle`: a person says whether a submission whose answer was lost left a job on the platform. */
export function addSettle(program: Command, context: CliContext): void {
  withJson(program.command('settle <id>'))
    .description('answers whether a submission whose answer was lost left a job on the platform')
    .option('--job <job-id>', 'it did: this one')
    .option('--none', 'it did not: its claim is taken away, and a new attempt is made')
    .option('--seed <n>', 'which one, when several are asked about', readSeed)
    .option('--by <name>', 'who says so, for the record')
    .action(async (id: string, options: SettleOptions) => {
      await withExperiments(context, options, async ({ experiments, output }) => {
        if ((options.job === undefined) === (options.none === undefined)) {
          throw new UsageError('settle takes exactly one answer: --job <job-id>, or --none.');
        }
        const seed = options.seed ?? (await seedAskedAbout(experiments, id));
        const jobId = options.job?.toLowerCase() ?? null;
        await experiments.settle(id, { by: actor(options.by, context.env), seed, jobId });
        const answer = jobId === null ? 'there is no such job' : `it is ${jobId}`;
        const next = `Follow it: ${context.program} watch ${id}`;
        output.answer({ id, seed, jobId }, [`Accepted: seed ${seed}: ${answer}.`, next]);
        return exitCodes.done;
      });
    });
}

function readSeed(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a whole number.');
}

/** The one seed of which something is asked. */
async function seedAskedAbout(experiments: Experiments, id: string): Promise<number> {
  const { status } = await experiments.see(id);
  const asked: JobStatus[] = (status?.attempts.at(-1)?.jobs ?? []).filter(
    ({ question }) => question !== null,
  );
  const [only] = asked;
  if (only !== undefined && asked.length === 1) return only.seed;
  const seeds = asked.map(({ seed }) => seed).join(', ');
  throw new UsageError(
    asked.length === 0
      ? `Nothing is asked about the submissions of "${id}".`
      : `Several submissions are asked about (seeds ${seeds}): add --seed.`,
  );
}
