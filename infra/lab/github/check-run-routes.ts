import { z } from 'zod';

import { commitOf } from './git.ts';
import type { Lab } from './lab.ts';
import { invalid, notFound, Refusal } from './refusal.ts';
import { type Call, page, readBody, type Route } from './router.ts';
import { checkRunShape } from './shapes.ts';
import type { LabCheckRun, LabRepository, LabUser } from './state.ts';

const conclusions = [
  'action_required',
  'cancelled',
  'failure',
  'neutral',
  'success',
  'skipped',
  'timed_out',
] as const;

const Output = z.object({
  title: z.string().nullish(),
  summary: z.string().max(65_535).nullish(),
  text: z.string().max(65_535).nullish(),
});
const fields = {
  status: z.enum(['queued', 'in_progress', 'completed']).optional(),
  conclusion: z.enum(conclusions).optional(),
  external_id: z.string().optional(),
  details_url: z.string().optional(),
  started_at: z.string().optional(),
  completed_at: z.string().optional(),
  output: Output.optional(),
};
const NewRun = z.object({ name: z.string().min(1), head_sha: z.string(), ...fields });
const RunUpdate = z.object({ name: z.string().min(1).optional(), ...fields });

/** Check runs: written by Apps alone, read by everybody. */
export function addCheckRunRoutes(route: Route, lab: Lab): void {
  route('GET', '/commits/:ref/check-runs', 'read', async (call) => {
    const sha = await commitOf(lab.folder(call.repository), call.params['ref'] ?? '');
    if (sha === null) throw notFound();
    const { check_name: name, status, filter = 'latest' } = call.query;
    const all = call.repository.checkRuns.filter(
      (run) =>
        run.sha === sha &&
        (name === undefined || run.name === name) &&
        (status === undefined || run.status === status),
    );
    const latest = new Map(all.map((run) => [`${run.app ?? ''} ${run.name}`, run]));
    const runs = filter === 'all' ? all : [...latest.values()];
    const shown = page(call, runs, lab).map((run) => checkRunShape(lab, call.repository, run));
    return { total_count: runs.length, check_runs: shown };
  });

  route('GET', '/check-runs/:id', 'read', async (call) => checkRunShape(lab, call.repository, runOf(call)));

  route('POST', '/check-runs', 'read', async (call) => {
    const app = appOf(call);
    const given = readBody(NewRun, call.body, 'CheckRun');
    if ((await commitOf(lab.folder(call.repository), given.head_sha)) === null) {
      throw new Refusal(422, `No commit found for SHA: ${given.head_sha}`);
    }
    const run: LabCheckRun = {
      id: lab.nextId(),
      sha: given.head_sha,
      name: given.name,
      status: 'queued',
      conclusion: null,
      at: given.started_at ?? lab.now(),
      app,
    };
    apply(lab, run, given);
    call.repository.checkRuns.push(run);
    announceRun(lab, call.repository, run, call.user);
    return call.reply.code(201).send(checkRunShape(lab, call.repository, run));
  });

  route('PATCH', '/check-runs/:id', 'read', async (call) => {
    const app = appOf(call);
    const run = runOf(call);
    if (run.app !== app)
      throw new Refusal(
        403,
        `Invalid app_id \`${app}\` - check run can only be modified by the GitHub App that created it.`,
      );
    apply(lab, run, readBody(RunUpdate, call.body, 'CheckRun'));
    announceRun(lab, call.repository, run, call.user);
    return checkRunShape(lab, call.repository, run);
  });
}

/** Slug of the App that calls; 403 for everybody else. */
function appOf({ token, user }: Call): string {
  if (token?.kind !== 'installation') throw new Refusal(403, 'You must authenticate via a GitHub App.');
  return user.login.replace(/\[bot\]$/, '');
}

function apply(lab: Lab, run: LabCheckRun, given: z.infer<typeof RunUpdate>): void {
  if (given.name !== undefined) run.name = given.name;
  if (given.external_id !== undefined) run.externalId = given.external_id;
  if (given.details_url !== undefined) run.detailsUrl = given.details_url;
  if (given.output !== undefined) {
    const { title = null, summary = null, text = null } = given.output;
    run.output = { title, summary, text };
  }
  if (given.status === 'completed' && given.conclusion === undefined) {
    throw invalid({ resource: 'CheckRun', field: 'conclusion', code: 'missing_field' });
  }
  // A conclusion says that it is completed.
  const status = given.conclusion === undefined ? given.status : 'completed';
  if (status === undefined) return;
  run.status = status;
  run.conclusion = status === 'completed' ? (given.conclusion ?? null) : null;
  run.completedAt = status === 'completed' ? (given.completed_at ?? lab.now()) : null;
}

function runOf({ repository, params }: Call): LabCheckRun {
  const run = repository.checkRuns.find(({ id }) => id === Number(params['id']));
  if (run === undefined) throw notFound();
  return run;
}

/** Tells the hooks of a check run and of the pull requests with its head. */
export function announceRun(lab: Lab, repository: LabRepository, run: LabCheckRun, sender: LabUser): void {
  const pulls = repository.pulls.filter(({ state, headSha }) => state === 'open' && headSha === run.sha);
  const check_run = {
    ...checkRunShape(lab, repository, run),
    check_suite: { head_sha: run.sha, head_branch: pulls[0]?.headRef ?? null },
    pull_requests: pulls.map(({ number, headRef }) => ({ number, head: { ref: headRef, sha: run.sha } })),
  };
  const action = run.status === 'completed' ? 'completed' : 'created';
  lab.announce(repository, 'check_run', { action, check_run }, sender);
}
