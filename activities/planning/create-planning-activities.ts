import { whileBeating } from '../../infra/agents/while-beating.ts';
import { guardActivities } from '../boundary.ts';
import { createVault } from '../notes/vault.ts';
import { baselineNoteOf } from './baseline-note.ts';
import type { PlanningActivities } from './interface.ts';
import type { PlanningDeps } from './plan-deps.ts';
import { planTaskNote } from './plan-task-note.ts';
import { readResources } from './resources.ts';
import { senseProblems } from './sense-problems.ts';

/** The activities of the queue `planning` that write and check task notes. */
export function createPlanningActivities(deps: PlanningDeps): PlanningActivities {
  const open = createVault(deps);
  return guardActivities<PlanningActivities>({
    planTaskNote: (input) => whileBeating((watch) => planTaskNote(deps, open, input, watch)),
    checkPlan: ({ note, body, description, baseline }) =>
      whileBeating(async ({ signal }) => {
        const resources = await readResources(deps.resourcesFile);
        const { notes } = await open(signal, (vault) => vault.catalogue());
        const baselineNote = baselineNoteOf(note, notes);
        return senseProblems({ note, body }, { description, baseline, baselineNote, resources });
      }),
  });
}
