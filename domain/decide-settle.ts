import type { DecisionAnswer } from './decide-decision.ts';
import type { JobStatus } from './experiment.ts';
import { isPlatformJobId } from './ids.ts';

/** A person's answer to a submission that could not be settled: the job that exists, or null when there is none. */
export interface SettleRequest {
  readonly by: string;
  readonly seed: number;
  readonly jobId: string | null;
}

/** Whether the answer is taken: only to a question that was asked, and only with an id that the platform could have given. */
export function decideSettle(request: SettleRequest, jobs: readonly JobStatus[]): DecisionAnswer {
  const job = jobs.find(({ seed }) => seed === request.seed);
  if (job === undefined) {
    const seeds = jobs.map(({ seed }) => seed).join(', ');
    return refuse(
      `there is no job of seed ${request.seed} in this attempt (it has ${seeds === '' ? 'none' : seeds})`,
    );
  }
  if (job.question === null)
    return refuse(`nothing is asked about the job of seed ${request.seed}: it is ${job.state}`);
  if (request.jobId !== null && !isPlatformJobId(request.jobId)) {
    return refuse(
      `"${request.jobId}" is no job id: expected job- and a UUID, as the platform's console shows it`,
    );
  }
  return { status: 'accept' };
}

function refuse(why: string): DecisionAnswer {
  return { status: 'refuse', why };
}
