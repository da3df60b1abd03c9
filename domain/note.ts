import type { Decision } from './decision.ts';
import type { Evidence } from './evidence.ts';
import type { ModelUsage } from './model-usage.ts';
import type { Outcome } from './phase.ts';
import type { Remark } from './remark.ts';
import type { TaskNote } from './task-note.ts';

/** The recorded facts from which the permanent note is written; every number in the note comes from here. */
export interface NoteFacts {
  readonly experimentId: string;
  /** The workflow's start, ISO 8601 UTC: names the note's file, so that a retry writes the same one. */
  readonly startedAt: string;
  readonly outcome: Outcome;
  readonly task: TaskNote;
  readonly evidence: Evidence | null;
  readonly decision: Decision | null;
  readonly pullRequestUrl: string | null;
  readonly mergeSha: string | null;
  readonly headSha: string | null;
  readonly jobIds: readonly string[];
  readonly runUrls: readonly string[];
  readonly environmentDigest: string | null;
  readonly gpuHours: number;
  readonly wallHours: number;
  readonly tokens: number;
  readonly usage?: readonly ModelUsage[];
  /** What was said about the evidence before the decision. */
  readonly remarks?: readonly Remark[];
  /** Why it failed, for failed experiments. */
  readonly failure: string | null;
}
