import type { TaskNoteProblem, TaskNoteText } from '../domain/task-note-text.ts';
import type { PreviousPlan } from '../activities/planning/interface.ts';
import { github } from './activities.ts';
import { checkPlan, writePlan } from './write-plan.ts';

/** `previous` is a note that the PI has words on; `note` is one that is only to be checked. */
export type PlanRequest = { readonly id: string; readonly repository: string; readonly base: string } & (
  | { readonly kind: 'write'; readonly idea: string; readonly previous: PreviousPlan | null }
  | { readonly kind: 'check'; readonly note: TaskNoteText }
);

export interface PlanAnswer extends TaskNoteText {
  readonly tokens: number;
  /** Of a note that was only checked: everything that makes no sense. */
  readonly problems: readonly TaskNoteProblem[];
}

/** Plans an experiment without starting it: the task note for the PI to read, change and start. */
export async function PlanWorkflow(request: PlanRequest): Promise<PlanAnswer> {
  const { repository, base, id } = request;
  const description = await github.describeRepository.executeWithOptions(
    { summary: `looks at ${repository}` },
    [{ repository, base }],
  );
  if (request.kind === 'check') {
    const { note, body } = request.note;
    return { note, body, tokens: 0, problems: await checkPlan(request.note, description) };
  }
  const { idea, previous } = request;
  const plan = await writePlan({ experimentId: id, idea, repository, base, description, previous });
  return { note: plan.note, body: plan.body, tokens: plan.tokens, problems: [] };
}
