import { branchName, commentMarker } from '../../../domain/ids.ts';
import type { ExperimentStatus } from '../../../domain/experiment.ts';
import { type BenchWorld, repository } from './bench-world.ts';
import type { ExperimentPlan } from './experiment-plan.ts';
import { commentsOf, pullsOf } from './lab-client.ts';

/** How an experiment ended by its own account. */
export interface ExperimentEnd {
  readonly plan: ExperimentPlan;
  /** null where it cannot be asked. */
  readonly status: ExperimentStatus | null;
  /** What it waits for, when it did not end in time. */
  readonly stuck: readonly string[];
  readonly seconds: number;
}

/** What stands on the base branch, a line for each commit: the experiments that it says it merges. */
export type Merges = ReadonlyMap<string, readonly string[]>;

/**
 * Compares what an experiment says of itself with what stands on GitHub. Returns what is wrong, as sentences: empty when
 * there is exactly one pull request and one sticky comment, at most one merge, of the head that was shown.
 */
export async function judgeExperiment(
  { pi, settings }: BenchWorld,
  { plan, status, stuck }: ExperimentEnd,
  merges: Merges,
): Promise<string[]> {
  const about = (problem: string) => `${plan.id}: ${problem}`;
  if (status === null || stuck.length > 0)
    return stuck.map((line) => about(`has not ended well, and is ${status?.phase ?? 'not known'}; ${line}`));
  const pulls = await pullsOf(pi, repository, branchName(plan.id));
  const [pull] = pulls;
  if (pull === undefined || pulls.length !== 1)
    return [about(`has ${pulls.length} pull requests, expected 1`)];
  const comments = await commentsOf(pi, repository, pull.number);
  const sticky = comments.filter(({ body }) => body.startsWith(commentMarker(plan.id)));
  const merged = merges.get(plan.id) ?? [];
  const head = settings.heads[plan.id];
  const outcome = plan.word === 'merge' ? 'merged' : 'rejected';
  const expected = outcome === 'merged' ? 1 : 0;
  const shown = status.evidence?.headSha;
  return [
    ...(status.phase === outcome ? [] : [`ended as ${status.phase}, expected ${outcome}`]),
    ...(sticky.length === 1 ? [] : [`has ${sticky.length} sticky comments, expected 1`]),
    ...(merged.length === expected ? [] : [`was merged ${merged.length} times, expected ${expected}`]),
    ...(expected === 0 || pull.head.sha === head
      ? []
      : [`was merged at ${pull.head.sha}, shown was ${head}`]),
    ...(shown === head ? [] : [`showed ${shown ?? 'nothing'}, made was ${head}`]),
    ...(expected === 0 || merged.includes(status.mergeSha ?? '')
      ? []
      : [`says it was merged as ${status.mergeSha ?? 'nothing'}`]),
    ...(sticky[0]?.body.includes(outcome) === true
      ? []
      : [`does not show in its comment that it was ${outcome}`]),
  ].map(about);
}
