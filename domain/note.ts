import type { Decision } from './decision.ts';
import type { Evidence } from './evidence.ts';
import type { ModelUsage } from './model-usage.ts';
import type { Outcome } from './phase.ts';
import type { Remark } from './remark.ts';
import type { TaskNote } from './task-note.ts';

/** What an experiment set out to do; of an idea that never became a task note only the words and the place are known. */
export interface NoteTask extends Pick<
  TaskNote,
  'title' | 'hypothesis' | 'repository' | 'base' | 'baseline' | 'seeds'
> {
  readonly metric: TaskNote['metric'] | null;
  readonly change: Pick<TaskNote['change'], 'paths'> | null;
  readonly job: Pick<TaskNote['job'], 'command' | 'image'> | null;
}

/** The recorded facts from which the permanent note is written; every number in the note comes from here. */
export interface NoteFacts {
  readonly experimentId: string;
  /** The workflow's start, ISO 8601 UTC: names the note's file, so that a retry writes the same one. */
  readonly startedAt: string;
  readonly outcome: Outcome;
  readonly task: NoteTask;
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

type Idea = Readonly<Record<'idea' | 'repository' | 'base', string>>;

/** Of an idea as a title; the whole of it stands below. */
const longestTitle = 120;

/** Of an experiment that ended while its idea was planned. */
export function noteOfIdea({ idea, repository, base }: Idea): NoteTask {
  const words = idea.replaceAll(/\s+/g, ' ').trim();
  const title = words.length > longestTitle ? `${words.slice(0, longestTitle)}…` : words;
  const unknown = { baseline: null, seeds: [], metric: null, change: null, job: null };
  return { title, hypothesis: words, repository, base, ...unknown };
}
