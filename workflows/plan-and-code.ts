import { workflowInfo } from '@temporalio/workflow';

import type { Finding } from '../domain/decide-gate.ts';
import { wandbRunId } from '../domain/ids.ts';
import type { ChangeRecord, ExperimentSource } from '../domain/experiment.ts';
import type { TaskNote } from '../domain/task-note.ts';
import type { Implementation } from '../activities/coding/interface.ts';
import type { RepositoryDescription } from '../activities/github/interface.ts';
import { failWith } from './failures.ts';
import { writePlan } from './write-plan.ts';
import { agent, coding, environment, github, opening } from './activities.ts';
import { charge, enterPhase, repositoryOf, type Experiment } from './experiment-state.ts';

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
  const experimentId = experiment.input.id;
  const planned = await writePlan({ experimentId, idea, repository, base, description });
  experiment.note = planned.note;
  experiment.body = planned.body;
  charge(experiment, planned);
}

/** Qwen Code changes the code: first by the note, later by findings or by the PI's words. */
export async function implement(experiment: Experiment, { findings, instructions }: Asked): Promise<void> {
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
  experiment.changes.push(changeRecord(experiment, implementation, { findings, instructions }));
  takeChange(experiment, implementation);
}

/** From here on the experiment is about this change: what was shown of an older head says nothing of it. */
export function takeChange(experiment: Experiment, implementation: Implementation): void {
  experiment.implementation = implementation;
  experiment.baseMoved = false;
  experiment.warnings = [];
  charge(experiment, implementation);
  experiment.evidence = null;
  experiment.results = null;
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

/** The PI wants Qwen Code to open it by GitHub's MCP server; what it could not do is done after it. */
export async function openByQwen(experiment: Experiment): Promise<void> {
  const note = noteOf(experiment);
  const { summary } = implementationOf(experiment);
  enterPhase(experiment, 'proposing', 'the pull request, by Qwen Code');
  const body = [`Hypothesis: ${note.hypothesis}`, '', summary].join('\n');
  const opened = await opening.openByAgent.executeWithOptions(
    { summary: 'Qwen Code opens the pull request' },
    [{ experimentId: note.id, repository: note.repository, base: note.base, title: note.title, body }],
  );
  charge(experiment, opened);
}

/** Attempts of jobs count from 1. */
const rehearsalAttempt = 0;

interface Asked {
  readonly findings: readonly Finding[];
  readonly instructions: string | null;
}

function changeRecord(
  { round }: Experiment,
  { headSha, summary, changedPaths, size = '', tries = [] }: Implementation,
  { findings, instructions }: Asked,
): ChangeRecord {
  const kind = findings.length > 0 ? 'repair' : instructions === null ? 'first' : 'revision';
  const asked = findings.map(({ source, text }) => `${source}: ${text}`).join('\n') || (instructions ?? '');
  // `round` counts on as soon as a round is done.
  return {
    round: round - 1,
    kind,
    asked: asked.slice(0, longestAsked),
    headSha,
    summary,
    changedPaths,
    size,
    tries,
  };
}

/** The status is shown to people; the whole of what a round was given stands in its transcript. */
const longestAsked = 2000;

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
