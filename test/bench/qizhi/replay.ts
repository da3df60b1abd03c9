import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Client } from '@temporalio/client';
import { Worker } from '@temporalio/worker';

import { saveHistories } from '../../../infra/temporal/save-histories.ts';

/** Histories that cannot be replayed, and those of experiments that did not end, outlive the run. */
const evidenceDir = join(tmpdir(), `hephaestus-bench-evidence-${process.pid}`);

/** Keeps the histories of a workflow and its children for whoever looks into it; returns where. */
export async function keepEvidence(client: Client, workflowId: string): Promise<string> {
  const name = workflowId.replaceAll('/', '-');
  const [first = ''] = await saveHistories(client, workflowId, evidenceDir, name);
  return join(evidenceDir, first);
}

/**
 * Replays what really happened, kills and lost workflow tasks included: workflow code that would go another way is found
 * here, and not only where a worker happens to have been killed. Returns what is wrong, as sentences.
 */
export async function replayAll(
  client: Client,
  bundleFile: string,
  workflowIds: readonly string[],
): Promise<string[]> {
  const problems: string[] = [];
  const histories = async function* () {
    for (const workflowId of workflowIds) {
      yield { workflowId, history: await client.workflow.getHandle(workflowId).fetchHistory() };
    }
  };
  for await (const { workflowId, error } of Worker.runReplayHistories(
    { workflowBundle: { codePath: bundleFile } },
    histories(),
  )) {
    if (error === undefined) continue;
    problems.push(
      `${workflowId} cannot be replayed: ${error.message}; kept in ${await keepEvidence(client, workflowId)}`,
    );
  }
  return problems;
}
