import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Client } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';

/** What names the machine that recorded a history; a replay does not look at it. */
const personal = new Set(['identity', 'stackTrace', 'workerInstanceKey', 'workerControlTaskQueue']);

/**
 * Writes the history of a workflow and of its children as JSON, `<name>.<workflow type>.json`, without what names the
 * recording machine. Of several children of one type the first is kept: they have the same shape. `home`: a folder of this
 * machine that the payloads name; another one takes its place, which no replay notices.
 */
export async function saveHistories(
  client: Client,
  workflowId: string,
  directory: string,
  name: string,
  home?: string,
): Promise<string[]> {
  await mkdir(directory, { recursive: true });
  const saved: string[] = [];
  const pending = [workflowId];
  for (const id of pending) {
    const handle = client.workflow.getHandle(id);
    const history = await handle.fetchHistory();
    const type =
      history.events?.[0]?.workflowExecutionStartedEventAttributes?.workflowType?.name ?? 'unknown';
    const file = `${name}.${type}.json`;
    for (const event of history.events ?? []) {
      const child = event.childWorkflowExecutionStartedEventAttributes?.workflowExecution?.workflowId;
      if (typeof child === 'string') pending.push(child);
    }
    if (saved.includes(file)) continue;
    const text = JSON.stringify(
      JSON.parse(historyToJSON(history)),
      (key, value: unknown) => (personal.has(key) ? undefined : moved(key, value, home)),
      1,
    );
    await writeFile(join(directory, file), `${text}\n`);
    saved.push(file);
  }
  return saved;
}

const anybodysHome = '/home/researcher/hephaestus';

/** A payload lies in the history as base64 under `data`. */
function moved(key: string, value: unknown, home: string | undefined): unknown {
  if (home === undefined || key !== 'data' || typeof value !== 'string') return value;
  // One character for each byte, so that whatever is no text stays as it is.
  const bytes = Buffer.from(value, 'base64').toString('latin1');
  if (!bytes.includes(home)) return value;
  return Buffer.from(bytes.replaceAll(home, anybodysHome), 'latin1').toString('base64');
}
