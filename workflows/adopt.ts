import { coding } from './activities.ts';
import { branchOf, enterPhase, type Experiment } from './experiment-state.ts';
import { noteOf, takeChange } from './plan-and-code.ts';
import { comment } from './report.ts';

/** A person's change instead of the coding agent's: the newest commit of their pull request, checked by the same rules. */
export async function adopt(experiment: Experiment): Promise<void> {
  enterPhase(experiment, 'freezing', "a look at the pull request's newest commit");
  await comment(experiment);
  const change = await coding.adoptChange.executeWithOptions({ summary: 'takes the change as it is' }, [
    {
      experimentId: experiment.input.id,
      note: noteOf(experiment),
      body: experiment.body,
      branch: branchOf(experiment),
    },
  ]);
  takeChange(experiment, change);
}
