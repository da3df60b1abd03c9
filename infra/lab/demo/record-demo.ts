import { Client, Connection } from '@temporalio/client';

import { saveHistories } from '../../temporal/save-histories.ts';
import { experimentWorkflowId } from '../../../domain/ids.ts';
import type { DemoWorld } from './demo-world.ts';
import { demoIdea } from './idea.ts';

/** Saves the histories of the finished demo, for the replay tests. */
export async function recordDemo(world: DemoWorld, directory: string): Promise<void> {
  const connection = await Connection.connect({ address: world.temporal.address });
  try {
    const client = new Client({ connection, namespace: world.temporal.namespace });
    await saveHistories(client, experimentWorkflowId(demoIdea.id), directory, 'merged', world.home);
  } finally {
    await connection.close();
  }
}
