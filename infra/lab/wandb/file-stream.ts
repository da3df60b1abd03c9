import { z } from 'zod';

import type { RunStore, StoredRun } from './run-store.ts';

const Lines = z.object({ offset: z.int().min(0).default(0), content: z.array(z.string()).default([]) });

/** The body of one `file_stream` request; every part may be missing, an empty one is a heartbeat. */
export const FileStreamRequest = z.object({
  files: z.record(z.string(), Lines).optional(),
  uploaded: z.array(z.string()).optional(),
  complete: z.boolean().nullish(),
  exitcode: z.int().nullish(),
});
export type FileStreamRequest = z.infer<typeof FileStreamRequest>;

/** Sets the lines that a request brings at the offsets that it names. */
export async function applyFileStream(
  store: RunStore,
  run: StoredRun,
  request: FileStreamRequest,
): Promise<void> {
  const { files = {} } = request;
  const history = files['wandb-history.jsonl'];
  if (history !== undefined) {
    await run.history.set(history.offset, history.content);
    run.counted.push({ at: Date.now(), rows: run.history.lines.length });
  }
  const events = files['wandb-events.jsonl'];
  if (events !== undefined) await run.events.set(events.offset, events.content);
  const output = files['output.log'];
  if (output !== undefined) await run.output.set(output.offset, output.content);
  const summary = files['wandb-summary.json']?.content.at(-1);
  await store.update(run, {
    heartbeatAt: Date.now(),
    ...(summary !== undefined && { summary }),
    ...(history !== undefined && { exitCode: null }),
    ...(request.complete === true && { exitCode: request.exitcode ?? 0 }),
    files: [...new Set([...run.record.files, ...(request.uploaded ?? [])])],
  });
}
