import type { Command } from 'commander';

import { UsageError } from '../cli-errors.ts';
import { actor, withExperiments, withJson, type CliContext, type DataOptions } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';

interface ApproveOptions extends DataOptions {
  readonly reason: string;
  readonly head?: string;
  readonly by?: string;
}

/** `approve-quality`: a person lets the quality gate pass on their word, which is shown with their name. */
export function addApproveQuality(program: Command, context: CliContext): void {
  withJson(program.command('approve-quality <id>'))
    .description('lets the quality gate pass on your word; name and reason are shown')
    .requiredOption('--reason <text>', 'why')
    .option('--head <sha>', 'the commit that is meant; void when the gate is about another one')
    .option('--by <name>', 'who says so, for the record')
    .action(async (id: string, options: ApproveOptions) => {
      await withExperiments(context, options, async ({ experiments, output }) => {
        if (options.reason.trim() === '')
          throw new UsageError('--reason is empty: say why the gate may pass.');
        const head = readHead(options.head) ?? (await experiments.see(id)).status?.headSha ?? undefined;
        const by = actor(options.by, context.env);
        const request = { by, verdict: 'pass', reason: options.reason, head } as const;
        await experiments.approveQuality(id, request);
        const next = `Follow it: ${context.program} watch ${id}`;
        output.answer({ id, accepted: request }, [`Accepted: the gate of ${id} passes on your word.`, next]);
        return exitCodes.done;
      });
    });
}

function readHead(head: string | undefined): string | undefined {
  if (head === undefined || /^[0-9a-f]{7,40}$/i.test(head)) return head?.toLowerCase();
  throw new UsageError(`--head is "${head}": expected 7 to 40 hexadecimal digits of a commit.`);
}
