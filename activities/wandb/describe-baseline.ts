import { cancellationSignal } from '@temporalio/activity';

import { Failure } from '../../infra/failure.ts';
import type { BaselineFacts, BaselineQuestion } from './interface.ts';
import { findBaseline } from './read-experiment-results.ts';
import type { WandbDeps } from './wandb-deps.ts';

/** Names that W&B itself keeps in a run. */
const ownNames = /^_/;

/** What the baseline's runs logged, all of them. Throws `WandbResultMissing` when they are not there. */
export async function describeBaseline(
  deps: WandbDeps,
  { wandb, baseline }: BaselineQuestion,
): Promise<BaselineFacts> {
  const entity =
    wandb.entity ?? deps.settings.entity ?? (await deps.wandb.defaultEntity(cancellationSignal()));
  if (entity === null) {
    throw new Failure(
      'WandbResultMissing',
      'no W&B entity is known: name one in the task note, or set WANDB_ENTITY',
    );
  }
  // The experiment has no run yet: the place alone is what is looked for.
  const runs = await findBaseline(deps, [{ entity, project: wandb.project, runId: '' }], baseline);
  const [first, ...others] = runs.map((run) => new Set(Object.keys(run.metricRows ?? run.summary)));
  const common = [...(first ?? [])].filter(
    (name) => !ownNames.test(name) && others.every((names) => names.has(name)),
  );
  return {
    name: 'run' in baseline ? baseline.run : baseline.experiment,
    runs: runs.length,
    metrics: common.toSorted(),
  };
}
