import { Failure } from '../../infra/failure.ts';
import { ClientError } from '../client-error.ts';
import { systems, type Check, type Finding, type System } from './finding.ts';

export interface RunChecksOptions {
  readonly checks: readonly Check[];
  /** For each check, ms; all run at one time. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Called with what is still being looked at. */
  readonly onProgress: (pending: readonly System[]) => void;
}

/** Runs all checks side by side; one that hangs costs its time limit and no more. Never throws for what a check met. */
export async function runChecks({
  checks,
  timeoutMs,
  signal,
  onProgress,
}: RunChecksOptions): Promise<Finding[]> {
  const pending = new Set(checks);
  const told = (): void => onProgress([...new Set([...pending].map(({ system }) => system))]);
  told();
  const found = await Promise.all(
    checks.map(async (check) => {
      const findings = await runOne(check, timeoutMs, signal);
      pending.delete(check);
      told();
      return findings;
    }),
  );
  return found.flat().toSorted((a, b) => systems.indexOf(a.system) - systems.indexOf(b.system));
}

async function runOne(
  { system, look }: Check,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const limit = AbortSignal.timeout(timeoutMs);
  const either = AbortSignal.any([limit, signal]);
  const over = Promise.withResolvers<never>();
  const end = (): void => over.reject(either.reason as Error);
  either.addEventListener('abort', end, { once: true });
  try {
    return await Promise.race([look(either), over.promise]);
  } catch (error) {
    signal.throwIfAborted();
    return [limit.aborted ? tooLate(system, timeoutMs) : toFinding(system, error)];
  } finally {
    either.removeEventListener('abort', end);
  }
}

function tooLate(system: System, timeoutMs: number): Finding {
  return {
    system,
    status: 'unreachable',
    what: `no answer within ${timeoutMs / 1000} s`,
    why: 'work that needs it waits until it answers',
    todo: 'look at the network, the proxy and the address of it; `--timeout` gives it longer',
  };
}

/** A failure that trying again may mend is an outside system that is away; any other a thing for a person to mend. */
function toFinding(system: System, error: unknown): Finding {
  if (error instanceof Failure) {
    const status = error.retry ? 'unreachable' : 'bad';
    const todo = `docs/failures.md#${error.type.toLowerCase()}`;
    return { system, status, what: error.message, why: 'work that needs it cannot go on', todo };
  }
  if (error instanceof ClientError) {
    return { system, status: 'unreachable', what: error.message, why: 'nothing runs without it', todo: '' };
  }
  const what = error instanceof Error ? error.message : String(error);
  return {
    system,
    status: 'bad',
    what,
    why: 'this look at it failed in a way that nobody foresaw',
    todo: 'report it, with this text',
  };
}
