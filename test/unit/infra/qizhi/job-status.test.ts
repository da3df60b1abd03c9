import { describe, expect, it } from 'vitest';

import { isReleased, jobState } from '../../../../infra/qizhi/job-status.ts';

describe('jobState', () => {
  it.each([
    ['job_creating', 'pending', false],
    ['job_created', 'pending', false],
    ['job_pre_checking', 'pending', false],
    ['job_pending', 'pending', false],
    ['job_queuing', 'queued', false],
    ['QUEUEING', 'queued', false],
    ['job_queued', 'queued', false],
    ['job_running', 'running', false],
    ['RUNNING', 'running', false],
    ['job_restarting', 'restarting', false],
    ['job_stopping', 'stopping', false],
    ['job_fail_reserving', 'failed', false],
    ['job_success_reserving', 'succeeded', false],
    ['SUCCEEDED_RETAINING', 'succeeded', false],
    ['job_failed_retaining', 'failed', false],
    ['job_succeeded', 'succeeded', true],
    ['Succeeded', 'succeeded', true],
    ['job_failed', 'failed', true],
    ['job_create_failed', 'not-started', true],
    ['job_pre_check_failed', 'not-started', true],
    ['job_stopped', 'stopped', true],
    ['CANCELLED', 'stopped', true],
    ['job_canceled', 'stopped', true],
    ['job_deleted', 'stopped', true],
    ['job_queue_out', 'queue-out', true],
    ['job_succeeded_maybe', 'unknown', false],
    ['constructor', 'unknown', false],
    ['', 'unknown', false],
  ] as const)('%s is %s, released: %s', (raw, state, released) => {
    expect(jobState(raw)).toBe(state);
    expect(isReleased(raw)).toBe(released);
  });
});
