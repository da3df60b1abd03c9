import { whileBeating } from '../../infra/agents/while-beating.ts';
import { guardActivities } from '../boundary.ts';
import type { PlanningActivities } from './interface.ts';
import { planTaskNote, type PlanningDeps } from './plan-task-note.ts';

/** The activities of the queue `planning` that write task notes. */
export function createPlanningActivities(deps: PlanningDeps): PlanningActivities {
  return guardActivities<PlanningActivities>({
    planTaskNote: (input) => whileBeating((watch) => planTaskNote(deps, input, watch)),
  });
}
