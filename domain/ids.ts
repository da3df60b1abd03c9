/** Every name that is derived from an experiment's id, in one place: workflows, branches, jobs, runs. */

/** Workflow id of an experiment. */
export function experimentWorkflowId(experimentId: string): string {
  return `experiment/${experimentId}`;
}

/** Workflow id of the look at a pull request that may start an experiment: the id is the lock. */
export function pullRequestWorkflowId(repository: string, number: number): string {
  return `pull-request/${repository.toLowerCase()}/${number}`;
}

/** Workflow id of one job of an attempt; extends its parent's. */
export function jobWorkflowId(experimentId: string, attempt: number, seed: number): string {
  return `${experimentWorkflowId(experimentId)}/attempt/${attempt}/seed/${seed}`;
}

/** Workflow id of the one sync that may run for a W&B run: the id is the lock. */
export function syncWorkflowId(entity: string, project: string, runId: string): string {
  return `wandb/${entity}/${project}/${runId}`;
}

/** The experiment's branch. */
export function branchName(experimentId: string): string {
  return `hephaestus/${experimentId}`;
}

/** The tag under which the head of a merged experiment is kept when that is asked for. */
export function headTag(experimentId: string): string {
  return `hephaestus-head/${experimentId}`;
}

/**
 * The W&B run id, chosen here and passed into the job. `token` (a few characters of the workflow's first run id)
 * keeps it apart from runs of an earlier life of the same experiment: W&B never lets a deleted id be used again.
 */
export function wandbRunId(experimentId: string, attempt: number, seed: number, token: string): string {
  return `${experimentId}-a${attempt}-s${seed}-${token}`;
}

/** The attempt's key: one Qizhi job may ever train for it. */
export function attemptKey(experimentId: string, attempt: number, seed: number): string {
  return `${experimentId}/${attempt}/${seed}`;
}

/** Job ids of the platform, as they come in its answers and in the host names of its nodes. */
export function isPlatformJobId(text: string): boolean {
  return /^job-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

/** The display name of a job on the platform; names are not unique there, so this is for people. */
export function jobName(experimentId: string, attempt: number, seed: number): string {
  return `hephaestus-${experimentId}-a${attempt}-s${seed}`;
}

/** What every hidden marker begins with, whatever the experiment. */
export const commentMarkerStart = '<!-- hephaestus:';

/** The hidden marker of the one sticky comment. */
export function commentMarker(experimentId: string): string {
  return `${commentMarkerStart}${experimentId} -->`;
}

/** The commit status of the quality gate. */
export const qualityContext = 'hephaestus/quality';

/** The tag that every run of an experiment carries in W&B, by which a baseline is found again. */
export function experimentTag(experimentId: string): string {
  return `experiment:${experimentId}`;
}

/** A task note's file. At the root of the repository in a person's pull request, which it makes an experiment. */
export const taskNoteFile = 'QWEN_TASK.md';

/**
 * The task note in a change that Hephaestus makes: a path of its own for each experiment, because two that are open at once would
 * conflict as soon as one of them is merged. Under a dot, because setuptools takes another plain folder at the root for
 * a second package and refuses to build the project.
 */
export function taskNotePath(experimentId: string): string {
  return `.experiments/${experimentId}/${taskNoteFile}`;
}

/** Whether an experiment's own task note lies there. */
export function isTaskNotePath(path: string): boolean {
  return /^\.experiments\/[^/]+\/QWEN_TASK\.md$/.test(path);
}

const jobWorkflowIdPattern = /^experiment\/([a-z0-9][a-z0-9-]*)\/attempt\/(\d+)\/seed\/(\d+)$/;

/** The other way round of `jobWorkflowId`; null for the id of any other workflow. */
export function parseJobWorkflowId(
  workflowId: string,
): { readonly experimentId: string; readonly attempt: number; readonly seed: number } | null {
  const [, experimentId, attempt, seed] = jobWorkflowIdPattern.exec(workflowId) ?? [];
  if (experimentId === undefined) return null;
  return { experimentId, attempt: Number(attempt), seed: Number(seed) };
}

/** The experiment that a workflow belongs to, also by the run that it brings to W&B; undefined for one of nobody. */
export function experimentIdIn(workflowId: string): string | undefined {
  const own = /^experiment\/([a-z0-9-]{3,50})(?:\/|$)/.exec(workflowId);
  const run = /^wandb\/[^/]*\/[^/]*\/([a-z0-9-]{3,50})-a\d+-s\d+-[^/-]+$/.exec(workflowId);
  return own?.[1] ?? run?.[1];
}
