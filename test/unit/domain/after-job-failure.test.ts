import { describe, expect, it } from 'vitest';

import { afterJobFailure, afterJobFailures } from '../../../domain/after-job-failure.ts';

describe('afterJobFailure', () => {
  it.each([
    ['JobPreempted', 10],
    ['JobLost', 2],
    ['JobNotStarted', 2],
    ['SubmissionUnknown', 2],
  ])('tries %s again, and ends after %i times of the same', (type, most) => {
    for (let already = 0; already < most; already += 1) {
      expect(afterJobFailure(type, already).next).toBe('again');
    }
    expect(afterJobFailure(type, most)).toEqual({ next: 'end', why: `it happened ${most + 1} times` });
  });

  it.each(['JobStopped', 'JobQueueOut', 'JobDisplaced', 'QizhiQuotaRefused'])(
    'asks a person after %s',
    (type) => {
      expect(afterJobFailure(type, 5).next).toBe('ask');
    },
  );

  it.each(['JobFailed', 'JobRefused', 'JobTimedOut', 'BudgetExceeded', 'QizhiInvalid', 'something new'])(
    'ends with %s, which would end the same again',
    (type) => {
      expect(afterJobFailure(type, 0).next).toBe('end');
    },
  );

  it('never trains a second time what may be training already', () => {
    // Of these it is not settled that no job of the attempt trains.
    for (const type of ['JobDisplaced', 'JobStopped'] as const)
      expect(afterJobFailures[type].next).toBe('ask');
  });
});
