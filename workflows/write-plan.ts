import { log } from '@temporalio/workflow';

import type { TaskNoteProblem, TaskNoteText } from '../domain/task-note-text.ts';
import type { Plan, PlanInput, PreviousPlan } from '../activities/planning/interface.ts';
import type { BaselineFacts } from '../activities/wandb/interface.ts';
import { baselines, planning } from './activities.ts';
import { failWith, isFailure, namedFailure } from './failures.ts';

/** How often a note goes back because of what its baseline is. */
const maxReturns = 2;

/** Gemini CLI writes the task note; what W&B says against its baseline and its metric goes back to it. */
export async function writePlan(input: PlanInput): Promise<Plan> {
  let { previous = null } = input;
  for (let returns = 0; ; returns += 1) {
    const plan = await planning.planTaskNote.executeWithOptions(
      { summary: 'Gemini CLI writes the task note' },
      [{ ...input, previous }],
    );
    const { problems } = await lookAtBaseline(plan);
    if (problems.length === 0) return plan;
    if (returns === maxReturns) throw failWith('TaskNoteInvalid', inWords(input.experimentId, problems));
    previous = { ...plan, words: null, problems };
  }
}

/** The same checks for a note that is there already. */
export async function checkPlan(
  note: TaskNoteText,
  description: PlanInput['description'],
): Promise<readonly TaskNoteProblem[]> {
  const { facts, problems } = await lookAtBaseline(note);
  const found = await planning.checkPlan.executeWithOptions({ summary: 'checks the task note' }, [
    { ...note, description, baseline: facts },
  ]);
  return [...problems.filter(({ path }) => path === 'baseline'), ...found];
}

interface BaselineLook {
  /** Null where the note has no baseline, or W&B gave no answer. */
  readonly facts: BaselineFacts | null;
  readonly problems: readonly TaskNoteProblem[];
}

/** A W&B that is away is no reason not to plan: the results are asked for in the end anyway. */
async function lookAtBaseline({ note }: TaskNoteText): Promise<BaselineLook> {
  const { baseline, wandb, metric } = note;
  if (baseline === null) return { facts: null, problems: [] };
  try {
    const facts = await baselines.describeBaseline.executeWithOptions(
      { summary: 'looks at the baseline in W&B' },
      [{ wandb, baseline }],
    );
    const fits = facts.metrics.length === 0 || facts.metrics.includes(metric.name);
    const expected = `a metric that the baseline logged: ${facts.metrics.slice(0, 30).join(', ')}`;
    const problem = { path: 'metric.name', value: JSON.stringify(metric.name), expected };
    return { facts, problems: fits ? [] : [problem] };
  } catch (error) {
    const { message } = namedFailure(error);
    if (isFailure(error, 'WandbResultMissing')) {
      const value = JSON.stringify(baseline);
      return {
        facts: null,
        problems: [{ path: 'baseline', value, expected: `one that is there: ${message}` }],
      };
    }
    log.warn('the baseline could not be looked at, the plan goes on', { message });
    return { facts: null, problems: [] };
  }
}

function inWords(id: string, problems: PreviousPlan['problems']): string {
  const lines = problems.map(({ path, value, expected }) => `${path}: ${expected} (found ${value})`);
  return `the task note of ${id} is still not valid after ${maxReturns + 1} tries:\n${lines.join('\n')}\nSay more in the idea, or write the note by hand and start from it`;
}
