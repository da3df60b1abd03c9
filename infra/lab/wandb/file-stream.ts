import { z } from 'zod';

import type { RunStore, StoredRun } from './run-store.ts';

const Lines = z.object({ offset: z.int().min(0).default(0), content: z.array(z.string()).default([]) });

/** The body of one `file_stream` request; every part may be missing, an empty one is a heartbeat. */
export const FileStreamRequest = z.object({
  files: z.record(z.string(), Lines).optional(),
  uploaded: z.array(z.string()).optional(),
  preempting: z.boolean().nullish(),
  complete: z.boolean().nullish(),
  exitcode: z.int().nullish(),
});
export type FileStreamRequest = z.infer<typeof FileStreamRequest>;

/**
 * Sets the lines that a request brings at the offsets that it names. Throws a `SyntaxError` when a line of the history
 * is no JSON object; then nothing of the request was kept.
 */
export function applyFileStream(store: RunStore, run: StoredRun, request: FileStreamRequest): Promise<void> {
  // One after the other: two requests that write into the same file at once would mix their lines.
  return run.queue.add(async () => {
    const { files = {} } = request;
    const history = files['wandb-history.jsonl'];
    if (history !== undefined) await run.history.set(history.offset, history.content);
    const events = files['wandb-events.jsonl'];
    if (events !== undefined) await run.events.set(events.offset, events.content);
    const output = files['output.log'];
    if (output !== undefined) await run.output.set(output.offset, output.content);
    const summary = files['wandb-summary.json']?.content.at(-1);
    const uploaded = request.uploaded ?? [];
    await store.update(run, {
      heartbeatAt: Date.now(),
      ...(summary !== undefined && { summary }),
      // A run that gets new rows is running again, whatever was said of its end before.
      ...(history !== undefined && history.content.length > 0 && { exitCode: null }),
      ...(request.preempting !== null &&
        request.preempting !== undefined && { preempting: request.preempting }),
      ...(request.complete === true && { exitCode: request.exitcode ?? 0 }),
      ...(uploaded.length > 0 && { files: [...new Set([...run.record.files, ...uploaded])] }),
    });
  });
}
