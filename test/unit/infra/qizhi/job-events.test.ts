import { expect, it } from 'vitest';

import { explain, JobEvents } from '../../../../infra/qizhi/job-events.ts';

function event(reason: string, at: unknown, message = '') {
  return { type: 'Normal', reason, message, first_timestamp: '0', last_timestamp: at };
}

it.each([
  ['nothing', [], '', false],
  [
    'a queue',
    [event('FailedScheduling', '2', '0/680 nodes'), event('Created', '1')],
    'FailedScheduling: 0/680 nodes',
    false,
  ],
  ['an eviction', [event('Started', '1'), event('Evict', '2', 'made room')], 'Evict: made room', true],
  [
    'a preemption under other words',
    [event('Preempted', 5), event('Started', 1), event('Killing', 6)],
    'Killing',
    true,
  ],
  ['a restart after it', [event('Preempted', '1'), event('Started', '2')], 'Started', false],
  [
    'times as text',
    [event('Evict', '2026-01-02T00:00:00Z'), event('Started', '2026-01-01T00:00:00Z')],
    'Evict',
    true,
  ],
])('tells of %s', (_what, events, reason, evicted) => {
  expect(explain(JobEvents.parse({ events }).events)).toEqual({ reason, evicted });
});

it('finds the rows under either name, and nowhere else', () => {
  expect(JobEvents.parse({ items: [event('Started', 1)], total: '150' })).toMatchObject({
    events: [{ reason: 'Started' }],
    total: 150,
  });
  expect(JobEvents.safeParse({ total: 0 }).success).toBe(false);
});
