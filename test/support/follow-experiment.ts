import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { expect, vi } from 'vitest';

import type { ExperimentWorkflow } from '../../workflows/index.ts';
import { statusOf } from './temporal-environment.ts';

export type ExperimentHandle = WorkflowHandle<typeof ExperimentWorkflow>;

/** Every look replays the experiment on the worker under test: too many of them are what it would wait for. */
export const patiently = { timeout: 90_000, interval: 250 };

export async function reaches(handle: ExperimentHandle, phase: string): Promise<void> {
  await vi.waitFor(async () => expect((await statusOf(handle)).phase).toBe(phase), patiently);
}

/** The named failure with which an experiment ended. */
export async function failureOf(handle: ExperimentHandle): Promise<ApplicationFailure> {
  const error: unknown = await handle.result().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(WorkflowFailedError);
  let cause: unknown = error;
  while (cause instanceof Error && cause.cause !== undefined && !(cause instanceof ApplicationFailure))
    cause = cause.cause;
  return cause as ApplicationFailure;
}
