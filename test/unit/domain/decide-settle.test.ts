import { describe, expect, it } from 'vitest';

import { decideSettle } from '../../../domain/decide-settle.ts';
import type { JobStatus } from '../../../domain/experiment.ts';

const job: JobStatus = {
  seed: 1,
  state: 'unknown-submission',
  detail: '',
  jobId: null,
  runId: 'run',
  runUrl: null,
  outcome: null,
  gpuHours: 0,
  question: 'is it there?',
  duplicates: [],
  peakMemoryBytes: null,
};
const jobId = 'job-00000000-0000-4000-8000-00000000000a';

describe('decideSettle', () => {
  it.each([jobId, null])('takes the answer %s to a question that was asked', (answer) => {
    expect(decideSettle({ by: 'pi', seed: 1, jobId: answer }, [job])).toEqual({ status: 'accept' });
  });

  it.each([
    [{ seed: 2, jobId }, [job], /no job of seed 2 in this attempt \(it has 1\)/],
    [{ seed: 1, jobId }, [], /it has none/],
    [
      { seed: 1, jobId },
      [{ ...job, question: null, state: 'running' as const }],
      /nothing is asked.*it is running/,
    ],
    [{ seed: 1, jobId: 'job-1' }, [job], /"job-1" is no job id: expected job- and a UUID/],
    [{ seed: 1, jobId: '' }, [job], /is no job id/],
  ])('refuses %j', (request, jobs, why) => {
    expect(decideSettle({ by: 'pi', ...request }, jobs)).toEqual({
      status: 'refuse',
      why: expect.stringMatching(why) as string,
    });
  });
});
