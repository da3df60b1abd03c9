import { Option, type Command } from 'commander';

import { zones, type Zone } from '../../../infra/config/keys.ts';
import { loadPartially } from '../../../infra/config/load-partially.ts';
import { toolsRoot } from '../../../infra/tools/tools-root.ts';
import type { Finding } from '../../doctor/finding.ts';
import { InterruptedError, UsageError } from '../cli-errors.ts';
import { run, withJson, type CliContext, type DataOptions } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';

interface DoctorOptions extends DataOptions {
  readonly zone?: readonly Zone[];
  readonly repo?: string;
  readonly timeout: string;
}

/** `doctor`: tries every configured system for real, changes nothing, and says for each finding what to do. */
export function addDoctor(program: Command, context: CliContext): void {
  withJson(program.command('doctor'))
    .description('tries every configured system and says, for each failure, what to do')
    .addOption(
      new Option(
        '--zone <zone...>',
        'what this machine serves: what these zones need must then be there',
      ).choices([...zones]),
    )
    .option('--repo <owner/name>', 'also looks what the GitHub credential may do there')
    .option('--timeout <seconds>', 'for each system; all are tried at one time', '8')
    .action(async (options: DoctorOptions) => {
      await run(context, options, async (output) => {
        const timeoutMs = readTimeout(options.timeout);
        if (options.repo !== undefined && !/^[\w.-]+\/[\w.-]+$/.test(options.repo))
          throw new UsageError(`--repo is ${JSON.stringify(options.repo)}: expected owner/name.`);
        const findings = await examine(context, options, timeoutMs, (line) =>
          output.progress(output.colours.dim(line)),
        );
        const { presentFindings } = await import('../../doctor/present-findings.ts');
        output.answer({ findings }, presentFindings(findings, output.colours));
        return exitCodeOf(findings);
      });
    });
}

async function examine(
  context: CliContext,
  { zone = null, repo }: { readonly zone?: readonly Zone[] | null; readonly repo?: string },
  timeoutMs: number,
  progress: (line: string) => void,
): Promise<Finding[]> {
  // Load every client, which the other commands have no use for.
  const { chooseChecks } = await import('../../doctor/choose-checks.ts');
  const { runChecks } = await import('../../doctor/run-checks.ts');
  const { env, cwd, signal } = context;
  const config = loadPartially({ env, cwd });
  const checks = chooseChecks({
    config,
    env,
    cwd,
    toolsRoot: toolsRoot(env),
    zones: zone,
    repository: repo,
    timeoutMs,
  });
  try {
    return await runChecks({
      checks,
      timeoutMs,
      signal,
      onProgress: (pending) => progress(pending.length === 0 ? '' : `looking at ${pending.join(', ')} …`),
    });
  } catch (error) {
    throw signal.aborted ? new InterruptedError() : error;
  }
}

function readTimeout(text: string): number {
  const seconds = Number(text);
  if (seconds > 0 && seconds <= 600) return seconds * 1000;
  throw new UsageError(`--timeout is "${text}": expected a number of seconds, larger than 0, 600 at most.`);
}

/** What a person has to mend counts for more than what may come back by itself. */
function exitCodeOf(findings: readonly Finding[]): ExitCode {
  if (findings.some(({ status }) => status === 'bad')) return exitCodes.endedBadly;
  return findings.some(({ status }) => status === 'unreachable') ? exitCodes.unreachable : exitCodes.done;
}
