import { z } from 'zod';

import type { Conversation, Reply } from './conversation.ts';

/**
 * What can be made to go wrong, for the next `count` calls of a role (or of any):
 * an HTTP status (429, 500, 401 …), an HTML page instead of JSON, an answer that means nothing, an edit outside the
 * allowed paths, text without an end, an answer that comes late, a connection cut half way.
 */
export const Fault = z.strictObject({
  kind: z.union([
    z.literal(['html', 'nonsense', 'outside-path', 'endless', 'slow', 'cut']),
    z.int().min(400).max(599),
  ]),
  role: z.literal(['plan', 'implement', 'note', 'open', 'discuss', 'other', 'any']).default('any'),
  count: z.int().min(1).default(1),
  /** Of `slow`, milliseconds. */
  delayMs: z.int().min(0).default(5000),
});
export type Fault = z.infer<typeof Fault>;

export interface FaultQueue {
  add(fault: Fault): void;
  clear(): void;
  list(): readonly Fault[];
  /** The fault for a call of this role, counted down; undefined when all is well. */
  take(role: string): Fault | undefined;
  /** For questions that belong to no role: the HTTP status of a fault set for any role, counted down. */
  takeStatus(): number | undefined;
}

export function createFaultQueue(): FaultQueue {
  let faults: Fault[] = [];
  const countDown = (fault: Fault): void => {
    faults = faults.flatMap((one) => {
      if (one !== fault) return [one];
      return one.count > 1 ? [{ ...one, count: one.count - 1 }] : [];
    });
  };
  return {
    add: (fault) => void faults.push(fault),
    clear: () => {
      faults = [];
    },
    list: () => faults,
    take(role) {
      const fault = faults.find((one) => one.role === 'any' || one.role === role);
      if (fault !== undefined) countDown(fault);
      return fault;
    },
    takeStatus() {
      const fault = faults.find((one) => one.role === 'any' && typeof one.kind === 'number');
      if (fault === undefined || typeof fault.kind !== 'number') return undefined;
      countDown(fault);
      return fault.kind;
    },
  };
}

export const nonsense: Reply = { text: 'Colourless green ideas sleep furiously {"', calls: [] };

/** Writes beside what the task allows, then ends as if all were well. */
export function outsidePathReply({ cwd, results, tools }: Conversation): Reply {
  if (results.length === 0) {
    const args = { file_path: `${cwd}/outside-the-allowed-paths.txt`, content: 'not asked for\n' };
    return { text: '', calls: [{ name: 'write_file', args }] };
  }
  if (tools.includes('structured_output')) {
    return { text: '', calls: [{ name: 'structured_output', args: { summary: 'Wrote a file.' } }] };
  }
  return { text: 'Wrote a file.', calls: [] };
}
