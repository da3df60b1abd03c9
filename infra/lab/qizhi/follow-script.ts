import { endedStatuses, type Job } from './job.ts';
import type { Look } from './look.ts';
import type { Act, Step } from './script.ts';

export interface ScriptMove {
  readonly changes: Pick<Job, 'script'>;
  /** What is to happen now. */
  readonly act: Act | undefined;
}

/** The next move of a job's script, undefined while there is none. */
export function scriptMove(job: Job, look: Look): ScriptMove | undefined {
  const { script } = job;
  const step = script?.steps[script.step];
  if (script === null || step === undefined) return undefined;
  if (!script.acted) return { changes: { script: { ...script, acted: true } }, act: step.act };
  if (!isOver(job, step, script.since, look)) return undefined;
  const next = script.step + 1;
  if (next >= script.steps.length) return { changes: { script: null }, act: undefined };
  return { changes: { script: { ...script, step: next, since: look.now, acted: false } }, act: undefined };
}

function isOver(job: Job, step: Step, since: number, look: Look): boolean {
  if (step.forMs !== undefined) return look.passed(since + step.forMs);
  if (step.until !== undefined) return job.status === step.until || endedStatuses.has(job.status);
  const tells = step.status ?? step.reason ?? step.round;
  return tells === undefined && step.act !== 'hold';
}

/** Whether its script keeps it in the queue. */
export function isHeld(job: Job): boolean {
  return job.script?.steps[job.script.step]?.act === 'hold';
}
