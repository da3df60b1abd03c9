import { CancellationScope, condition, sleep } from '@temporalio/workflow';

import { decideGate, type GateAnswer, type GatePolicy } from '../domain/decide-gate.ts';
import type { SeenPullRequest } from '../activities/github/interface.ts';
import { github, pullRequest as pullRequestActivities } from './activities.ts';
import { enterPhase, repositoryOf, type Experiment } from './experiment-state.ts';
import { tried } from './failures.ts';
import { ownChecks } from './own-checks.ts';
import { implementationOf, pullRequestOf } from './plan-and-code.ts';
import { comment } from './report.ts';
import { taskNotePathOf } from './task-note-path-of.ts';

/**
 * The quality gate for the present head. Returns when it passed (by itself or by a person's word), or with the answer
 * `repair` when findings are to go back to the coding agent. A blocked gate waits for a person: it never fails by itself.
 * `moved`: a person pushed to their own pull request, so that there is another change to look at.
 */
export async function review(
  experiment: Experiment,
): Promise<(GateAnswer & { readonly status: 'pass' | 'repair' }) | { readonly status: 'moved' }> {
  const repository = repositoryOf(experiment);
  const { number } = pullRequestOf(experiment);
  const { headSha } = implementationOf(experiment);
  enterPhase(experiment, 'reviewing', "Copilot's review and the checks");
  await comment(experiment);
  await Promise.all([
    publish(experiment, 'pending', 'the quality gate is looking'),
    github.requestReview.executeWithOptions({ summary: "asks for Copilot's review" }, [
      { repository, number, headSha },
    ]),
  ]);
  const deadline = Date.now() + experiment.input.policy.reviewDeadlineMinutes * 60_000;

  let last: Look | null = null;
  for (;;) {
    last = await look(experiment, last, deadline);
    if (isPersonsPush(experiment, last.seen)) return { status: 'moved' };
    const answer = answerOf(experiment, last.seen, Date.now() >= deadline);
    experiment.gate = answer;
    switch (answer.status) {
      case 'wait':
        enterPhase(experiment, 'reviewing', answer.reasons.join(', '));
        break;
      case 'block':
        enterPhase(
          experiment,
          'reviewing',
          `a person, because the gate blocks: ${answer.reasons.join('; ')}`,
        );
        await publish(experiment, 'failure', answer.reasons.join('; '));
        await comment(experiment);
        break;
      case 'pass':
        await Promise.all([publish(experiment, 'success', answer.reasons.join('; ')), markReady(experiment)]);
        return answer;
      case 'repair':
        await publish(experiment, 'failure', answer.reasons.join('; '));
        return answer;
    }
  }
}

function isPersonsPush({ input, implementation }: Experiment, { snapshot }: SeenPullRequest): boolean {
  const moved = snapshot.state === 'open' && snapshot.headSha !== implementation?.headSha;
  return input.source.kind === 'pull-request' && moved;
}

function answerOf(experiment: Experiment, seen: SeenPullRequest, reviewOverdue: boolean): GateAnswer {
  const { policy } = experiment.input;
  const { override } = experiment;
  const answer = decideGate(seen.snapshot, {
    headSha: implementationOf(experiment).headSha,
    requiredChecks: policy.requiredChecks,
    requireCopilot: policy.requireCopilot,
    reviewOverdue,
    repairsLeft: experiment.input.source.kind === 'pull-request' ? 0 : policy.maxRepairs - experiment.repairs,
    ownChecks: ownChecks(experiment),
    taskNotePath: taskNotePathOf(experiment),
    taskNoteBlob: implementationOf(experiment).inspection?.taskNoteBlob ?? null,
  } satisfies GatePolicy);
  if (override === null) return answer;
  const { by, verdict, reason } = override;
  const state = verdict === 'pass' ? 'passed' : 'failed';
  const line = { name: `the word of ${by}`, state, detail: reason, url: null } as const;
  const lines = [line, ...(answer.lines ?? [])];
  return { status: verdict, reasons: [`${by} said ${verdict}: ${reason}`], lines };
}

/** The draft has served its end. Without drafts, or without the right to it, the experiment goes on. */
async function markReady(experiment: Experiment): Promise<void> {
  if (pullRequestOf(experiment).draft === false) return;
  await tried('marking the pull request ready', () =>
    github.markReady.executeWithOptions({ summary: 'the draft is ready for review' }, [
      { repository: repositoryOf(experiment), number: pullRequestOf(experiment).number },
    ]),
  );
}

/** What was seen, and which messages had come by then: one that comes while others are acted on must not be missed. */
interface Look {
  readonly seen: SeenPullRequest;
  readonly nudges: number;
  readonly override: Experiment['override'];
}

/** The next look at the pull request: when it changes, when a webhook nudges, when a person overrides, or at the deadline. */
async function look(experiment: Experiment, last: Look | null, deadline: number): Promise<Look> {
  const scope = new CancellationScope();
  let seen: SeenPullRequest | null = null;
  let nudges = last?.nudges ?? experiment.nudges;
  if (last !== null) {
    try {
      seen = await scope.run(() => Promise.race(waits(experiment, last, deadline)));
    } finally {
      scope.cancel();
    }
  }
  if (seen === null) {
    nudges = experiment.nudges;
    seen = await observe(experiment, null);
  }
  return { seen, nudges, override: experiment.override };
}

/** What the next look waits for; null means to look at once. */
function waits(experiment: Experiment, last: Look, deadline: number): Promise<SeenPullRequest | null>[] {
  const left = deadline - Date.now();
  return [
    observe(experiment, last.seen.fingerprint),
    condition(() => experiment.override !== last.override).then(() => last.seen),
    condition(() => experiment.nudges !== last.nudges).then(() => null),
    ...(left > 0 ? [sleep(left, { summary: 'review deadline' }).then(() => last.seen)] : []),
  ];
}

async function observe(experiment: Experiment, since: string | null): Promise<SeenPullRequest> {
  return pullRequestActivities.awaitPullRequestChange.executeWithOptions(
    { summary: 'looks at the pull request' },
    [
      {
        repository: repositoryOf(experiment),
        number: pullRequestOf(experiment).number,
        taskNotePath: taskNotePathOf(experiment),
        since,
        pollSeconds: experiment.input.policy.githubPollSeconds,
        quietSince: Date.now(),
      },
    ],
  );
}

async function publish(
  experiment: Experiment,
  state: 'pending' | 'success' | 'failure',
  description: string,
): Promise<void> {
  await github.publishQuality.executeWithOptions({ summary: `quality gate: ${state}` }, [
    {
      repository: repositoryOf(experiment),
      headSha: implementationOf(experiment).headSha,
      state,
      description,
      targetUrl: experiment.commentUrl ?? pullRequestOf(experiment).url,
      lines: experiment.gate?.lines ?? [],
    },
  ]);
}
