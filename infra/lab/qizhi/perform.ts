import { addEvent, type Job } from './job.ts';
import type { Act } from './script.ts';
import { killProcesses } from './workers.ts';

/** The ways in which a job's state may change, each written to disk. `at`: ms since the epoch. */
export interface Moves {
  change(job: Job, changes: Partial<Job>): Promise<unknown>;
  finish(job: Job, status: string): Promise<unknown>;
  fail(job: Job, at: number): Promise<unknown>;
  reachTimeLimit(job: Job): Promise<unknown>;
}

const notBegun = new Set(['job_creating', 'job_pre_checking', 'job_queuing']);
const begun = new Set(['job_running', 'job_restarting']);

/** Makes something happen to a job. An act that does not fit the state of the job is passed over. */
export async function perform(job: Job, act: Act, moves: Moves): Promise<void> {
  const going = job.stopAt !== null || job.leaving !== null;
  const runs = begun.has(job.status) && !going;
  const waits = notBegun.has(job.status);
  switch (act) {
    case 'preempt':
    case 'evict':
      if (!runs) return;
      addEvent(job, 'Warning', 'Preempted', 'Preempted by a job of higher priority');
      addEvent(job, 'Warning', 'Evict', `Pod ${job.id}-worker-0 is evicted`);
      await moves.change(job, { leaving: act === 'preempt' ? 'queue' : 'fail' });
      return;
    case 'restart':
      if (runs) await moves.change(job, { status: 'job_restarting', leaving: 'restart' });
      return;
    case 'node-loss':
      if (!runs) return;
      addEvent(job, 'Warning', 'NodeNotReady', 'Node lab-gpu0001 is not ready');
      await killProcesses(job.id);
      await moves.fail(job, Date.now());
      return;
    case 'time-limit':
      if (runs) await moves.reachTimeLimit(job);
      return;
    case 'hold':
      return;
    case 'queue-out':
      if (waits) await moves.finish(job, 'job_queue_out');
      return;
    case 'create-failed':
      if (waits) await moves.finish(job, 'job_create_failed');
      return;
    case 'pre-check-failed':
      if (waits) await moves.finish(job, 'job_pre_check_failed');
      return;
  }
}
