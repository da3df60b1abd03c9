import { describe, expect, it } from 'vitest';

import {
  attemptKey,
  branchName,
  commentMarker,
  experimentIdIn,
  experimentTag,
  experimentWorkflowId,
  isTaskNotePath,
  jobName,
  jobWorkflowId,
  taskNotePath,
  wandbRunId,
} from '../../../domain/ids.ts';

const longest = 'x'.repeat(50);

describe('names derived from an experiment', () => {
  it('are the ones of the public contract', () => {
    expect(experimentWorkflowId('abc')).toBe('experiment/abc');
    expect(jobWorkflowId('abc', 2, 0)).toBe('experiment/abc/attempt/2/seed/0');
    expect(branchName('abc')).toBe('hephaestus/abc');
    expect(taskNotePath('abc')).toBe('.experiments/abc/QWEN_TASK.md');
    expect(isTaskNotePath(taskNotePath(longest))).toBe(true);
    expect(isTaskNotePath('QWEN_TASK.md')).toBe(false);
    expect(commentMarker('abc')).toBe('<!-- hephaestus:abc -->');
    expect(experimentTag('abc')).toBe('experiment:abc');
  });

  it('differ for every attempt and seed', () => {
    const pairs = [1, 2, 11].flatMap((attempt) => [1, 12, 112].map((seed) => [attempt, seed] as const));
    for (const name of [
      (attempt: number, seed: number) => jobWorkflowId('a', attempt, seed),
      (attempt: number, seed: number) => wandbRunId('a', attempt, seed, 'tok'),
      (attempt: number, seed: number) => attemptKey('a', attempt, seed),
      (attempt: number, seed: number) => jobName('a', attempt, seed),
    ]) {
      expect(new Set(pairs.map(([attempt, seed]) => name(attempt, seed))).size).toBe(pairs.length);
    }
  });

  it('stay within what W&B takes: ids of 64 safe characters, tags of 64', () => {
    expect(wandbRunId(longest, 1, 9999, 'abcd')).toMatch(/^[\w-]{1,64}$/);
    expect(experimentTag(longest).length).toBeLessThanOrEqual(64);
  });
});

describe('experimentIdIn', () => {
  it.each([
    [jobWorkflowId('warm-up', 2, 1), 'warm-up'],
    ['experiment/warm-up', 'warm-up'],
    [`wandb/lab/digits/${wandbRunId('warm-up', 2, 1, 'a1b2')}`, 'warm-up'],
    ['wandb/lab/digits/somebody-elses-run', undefined],
    ['hephaestus-notifier', undefined],
  ])('of %s is %s', (workflowId, id) => {
    expect(experimentIdIn(workflowId)).toBe(id);
  });
});
