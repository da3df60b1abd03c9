import { workflowInfo } from '@temporalio/workflow';

import type { Finding } from '../domain/decide-gate.ts';
import { wandbRunId } from '../domain/ids.ts';
import type { ExperimentSource } from '../domain/experiment.ts';
import type { TaskNote } from '../domain/task-note.ts';
import type { Implementation } from '../activities/coding/interface.ts';
import type { RepositoryDescription } from '../activities/github/interface.ts';
import { failWith } from './failures.ts';
import { agent, coding, environment, github, planning } from './activities.ts';
import { enterPhase, repositoryOf, type Experiment } from './experiment-state.ts';

/** The idea becomes a task note; the repository and its base branch are looked at before anything is made. */
export async function plan(experiment: Experiment): Promise<void> {
  const { source, id } = experiment.input;
  const repository = repositoryOf(experiment);
  const base = source.kind === 'idea' ? source.base : source.note.base;
  enterPhase(experiment, 'planning', `a look at ${repository}`);
  const description = await github.describeRepository.executeWithOptions(
    { summary: `looks at ${repository}` },
    [{ repository, base }],
  );
  enterPhase(experiment, 'planning', source.kind === 'idea' ? 'the task note of Gemini CLI' : 'a worktree');
  const [prepared] = await Promise.all([
    coding.prepareSource.executeWithOptions({ summary: `worktree of ${repository}` }, [
      { experimentId: id, repository, base },
    ]),
    source.kind === 'idea' ? writeTaskNote(experiment, source, description) : undefined,
  ]);
  experiment.nextAttempt = prepared.nextAttempt;
}

async function writeTaskNote(
  experiment: Experiment,
  { idea, repository, base }: ExperimentSource & { readonly kind: 'idea' },
  description: RepositoryDescription,
): Promise<void> {
  const planned = await planning.planTaskNote.executeWithOptions(
    { summary: 'Gemini CLI writes the task note' },
    [{ experimentId: experiment.input.id, idea, repository, base, description }],
  );
  experiment.note = planned.note;
  experiment.body = planned.body;
  experiment.tokens += planned.tokens;
}

/** Qwen Code changes the code: first by the note, later by findings or by the PI's words. */
export async function implement(
  experiment: Experiment,
  { findings, instructions }: { readonly findings: readonly Finding[]; readonly instructions: string | null },
): Promise<void> {
  enterPhase(experiment, 'implementing', 'the change of Qwen Code');
  const implementation = await agent.implementChange.executeWithOptions(
    { summary: `Qwen Code, round ${experiment.round + 1}` },
    [
      {
        experimentId: experiment.input.id,
        note: noteOf(experiment),
        body: experiment.body,
        round: experiment.round,
        findings,
        instructions,
        ...(experiment.baseMoved && { ontoBase: true }),
      },
    ],
  );
  experiment.round += 1;
  takeChange(experiment, implementation);
}

/** From here on the experiment is about this change: what was shown of an older head says nothing of it. */
export function takeChange(experiment: Experiment, implementation: Implementation): void {
  experiment.implementation = implementation;
  experiment.baseMoved = false;
  experiment.warnings = [];
  experiment.tokens += implementation.tokens;
  experiment.evidence = null;
  experiment.finished = [];
  experiment.gate = null;
  experiment.rehearsal = null;
  experiment.override = null;
}

/**
 * uv builds the environment on the shared disk, or finds the one of the same digest; then the command itself is tried in
 * it for a short while, as the job will run it. What came of that is for the gate to judge.
 */
export async function freeze(experiment: Experiment): Promise<void> {
  const note = noteOf(experiment);
  const { id } = experiment.input;
  enterPhase(experiment, 'freezing', 'the environment');
  experiment.environment = await environment.freezeEnvironment.executeWithOptions(
    { summary: 'uv freezes the environment' },
    [{ experimentId: id, environment: note.environment }],
  );
  enterPhase(experiment, 'freezing', 'the rehearsal of the command');
  const seed = note.seeds[0] ?? 0;
  experiment.rehearsal = await environment.rehearseCommand.executeWithOptions(
    { summary: 'rehearses the command without network' },
    [
      {
        experimentId: id,
        note,
        headSha: implementationOf(experiment).headSha,
        seed,
        runId: wandbRunId(id, rehearsalAttempt, seed, workflowInfo().firstExecutionRunId.slice(0, 6)),
      },
    ],
  );
}

/** Attempts of jobs count from 1. */
const rehearsalAttempt = 0;

export function noteOf({ note }: Pick<Experiment, 'note'>): TaskNote {
  if (note === null) throw failWith('TaskNoteInvalid', 'the experiment has no task note yet');
  return note;
}

export function implementationOf({ implementation }: Experiment) {
  if (implementation === null) throw failWith('ChangeEmpty', 'the experiment has no change yet');
  return implementation;
}

export function pullRequestOf({ pullRequest }: Experiment) {
  if (pullRequest === null) throw failWith('GithubNotFound', 'the experiment has no pull request yet');
  return pullRequest;
}
