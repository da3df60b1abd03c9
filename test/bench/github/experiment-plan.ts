import { chance } from '../qizhi/chance.ts';

/**
 * What somebody does to the pull request beside the experiment's own way: nothing; another commit is pushed between the
 * evidence and the merge, and taken away after the refusal; somebody merges by hand; the sticky comment is deleted; or the
 * word is said twice.
 */
export type Meddling = 'none' | 'foreign-push' | 'merged-by-hand' | 'comment-deleted' | 'said-twice';

/** What was drawn for one experiment, before anything happens to it. */
export interface ExperimentPlan {
  readonly id: string;
  readonly word: 'merge' | 'reject';
  readonly meddling: Meddling;
  /** Where the word is said: below the pull request, or to the workflow itself. */
  readonly by: 'comment' | 'signal';
}

const rejected = 0.1;
const meddlings: readonly Meddling[] = ['foreign-push', 'merged-by-hand', 'comment-deleted', 'said-twice'];
const meddled = 0.4;

export function drawExperiment(seed: number, index: number): ExperimentPlan {
  const draw = (what: string) => chance(seed, index, what);
  const word = draw('rejects') < rejected ? 'reject' : 'merge';
  const which = meddlings[Math.floor(draw('which') * meddlings.length)] ?? 'none';
  const meddles = word === 'merge' && draw('meddles') < meddled;
  return {
    id: `pull-${seed}-${index}`,
    word,
    meddling: meddles ? which : 'none',
    by: draw('by') < 0.5 ? 'comment' : 'signal',
  };
}
