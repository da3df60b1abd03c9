import { branchName } from '../../domain/ids.ts';
import type { TaskNote } from '../../domain/task-note.ts';
import { renderTemplate } from '../../infra/templates/render-template.ts';
import type { OpenPullRequestInput } from './interface.ts';

/** What the pull request says of itself when it is opened: enough to judge it and to run it again. */
export function pullRequestBody(input: OpenPullRequestInput): string {
  const { note, summary, body, environmentDigest } = input;
  return renderTemplate('pull-request.md.njk', {
    note,
    summary,
    body: body.trim(),
    environmentDigest,
    baseline: baselineOf(note),
    reproduce: reproduce(input),
  });
}

function baselineOf({ baseline }: TaskNote): string {
  if (baseline === null) return 'no baseline';
  return 'experiment' in baseline ? `the experiment ${baseline.experiment}` : `the run ${baseline.run}`;
}

function reproduce({ note, headSha, experimentId }: OpenPullRequestInput): string {
  const { environment, job, seeds } = note;
  const install =
    environment.lock === undefined
      ? `uv venv --python ${environment.python} && uv pip sync --require-hashes ${environment.requirements ?? ''}`
      : `uv sync --frozen --python ${environment.python}`;
  const seed = String(seeds[0] ?? 0);
  return [
    `git fetch origin ${branchName(experimentId)} && git checkout ${headSha}`,
    install,
    '. .venv/bin/activate',
    `WANDB_MODE=offline HEPHAESTUS_SEED=${seed} ${job.command.replaceAll('{seed}', seed)}`,
  ].join('\n');
}
