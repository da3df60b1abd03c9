import { activityInfo } from '@temporalio/activity';
import { Client } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { vi } from 'vitest';

import { addSearchAttributes } from '../../infra/temporal/search-attributes.ts';
import type { AllActivities, ScriptedWorld } from './scripted-activities.ts';
import { quietRuntime, startWorkers, bundledWorkflows } from './temporal-environment.ts';

/** A Temporal server whose time jumps ahead while nothing is under way, and this process's clock, which follows it. */
export interface TimeSkipping {
  readonly client: Client;
  /** Starts workers for every queue, of this world, until `close`. */
  serve(world: ScriptedWorld): Promise<void>;
  /**
   * Lets the time jump until `act` has come to its end; before and after it goes by as everywhere. What ends `act` had better
   * be an activity that is held: it holds the time too, which else jumps on, from one time-out to the next.
   */
  whileTimeJumps<T>(act: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/**
 * Every activity begins with `Date` set to the moment in which the server gave it out: what an activity, or a stand-in
 * in this process, knows of hours and weeks is then what the server knows of them. Nothing may wait here for `Date` to
 * move, and nothing jumps while an activity runs.
 *
 * The client speaks through the native connection, whose deadlines do not go by `Date`.
 */
export async function startTimeSkipping(temporalTestServer: string): Promise<TimeSkipping> {
  quietRuntime();
  const [env, workflowBundle] = await Promise.all([
    TestWorkflowEnvironment.createTimeSkipping({
      server: { executable: { type: 'existing-path', path: temporalTestServer } },
    }),
    bundledWorkflows(),
  ]);
  await addSearchAttributes(env.connection, 'default');
  const { nativeConnection } = env;
  const { testService } = nativeConnection;
  if (testService === undefined) throw new Error('the server has no service for its time');
  const stops: (() => Promise<void>)[] = [];
  vi.useFakeTimers({ toFake: ['Date'], shouldAdvanceTime: true });
  return {
    client: new Client({ connection: nativeConnection }),
    async serve(world) {
      stops.push(await startWorkers(nativeConnection, workflowBundle, { current: followed(world) }));
    },
    async whileTimeJumps(act) {
      await testService.unlockTimeSkipping({});
      try {
        return await act();
      } finally {
        await testService.lockTimeSkipping({});
      }
    },
    async close() {
      await Promise.all(stops.map((stop) => stop()));
      vi.useRealTimers();
      await env.teardown();
    },
  };
}

function followed(world: ScriptedWorld): ScriptedWorld {
  const activities = Object.entries<(input: never) => Promise<unknown>>({ ...world.activities }).map(
    ([name, run]) => [
      name,
      async (input: never) => {
        const { currentAttemptScheduledTimestampMs } = activityInfo();
        if (currentAttemptScheduledTimestampMs > Date.now())
          vi.setSystemTime(currentAttemptScheduledTimestampMs);
        return run(input);
      },
    ],
  );
  return { ...world, activities: Object.fromEntries(activities) as AllActivities };
}
