import type { WorkflowHandle } from '@temporalio/client';

import { branchName, commentMarker, experimentWorkflowId } from '../../../domain/ids.ts';
import { decisionSignals, searchAttributes } from '../../../workflows/contract.ts';
import type { ExperimentWorkflow } from '../../../workflows/index.ts';
import { askStatus } from '../qizhi/ask-status.ts';
import { pause } from '../../../infra/pause.ts';
import { type BenchWorld, repository } from './bench-world.ts';
import type { ExperimentPlan } from './experiment-plan.ts';
import { ask, commentsOf, moveBranch, pullsOf } from './lab-client.ts';

export interface Person {
  /** How often each meddling was carried out. */
  readonly meddled: Readonly<Record<string, number>>;
  /** How many words were said below pull requests. */
  readonly comments: () => number;
  /** What went wrong when they looked or spoke; it is tried again, so this matters only where an experiment is stuck. */
  readonly troubles: readonly string[];
  stop(): Promise<void>;
}

type Handle = WorkflowHandle<typeof ExperimentWorkflow>;
/** One thing after the other; false where it is to be looked at again. */
type Step = () => Promise<boolean>;

const lookMs = 500;
const againMs = 20_000;
const by = 'the PI of the bench';

/** Plays the PI and whoever meddles, in all experiments: what was drawn happens once the evidence is shown. */
export function startPerson(world: BenchWorld, plans: ReadonlyMap<string, ExperimentPlan>): Person {
  const stopping = new AbortController();
  const at = new Map<string, number>();
  const saidAt = new Map<string, number>();
  const meddled: Record<string, number> = {};
  let comments = 0;
  const troubles: string[] = [];
  const busy = new Map<string, Promise<void>>();

  async function act(plan: ExperimentPlan): Promise<void> {
    const handle = world.client.workflow.getHandle<typeof ExperimentWorkflow>(experimentWorkflowId(plan.id));
    const steps = stepsOf(world, plan, handle);
    for (let index = at.get(plan.id) ?? 0; index < steps.length; index += 1) {
      if (!(await steps[index]?.())) return;
      at.set(plan.id, index + 1);
      if (index + 1 === steps.length) meddled[plan.meddling] = (meddled[plan.meddling] ?? 0) + 1;
    }
    await sayAgain(plan, handle);
  }

  /** A word may come while another is carried out, or be refused because GitHub was away: it is said again after a while. */
  async function sayAgain(plan: ExperimentPlan, handle: Handle): Promise<void> {
    if (Date.now() - (saidAt.get(plan.id) ?? 0) < againMs) return;
    saidAt.set(plan.id, Date.now());
    await say(plan, handle);
    if (plan.meddling === 'said-twice') await say(plan, handle);
  }

  async function say({ id, word, by: where }: ExperimentPlan, handle: Handle): Promise<void> {
    if (where === 'signal') return handle.signal(decisionSignals[word], { by });
    const [pull] = await pullsOf(world.pi, repository, branchName(id));
    const path = `/repos/${repository}/issues/${pull?.number ?? 0}/comments`;
    await ask(world.pi, 'POST', path, { body: `/hephaestus ${word}` });
    comments += 1;
  }

  async function lookAround(): Promise<void> {
    const query = "WorkflowType = 'ExperimentWorkflow' AND ExecutionStatus = 'Running'";
    for await (const { workflowId, typedSearchAttributes } of world.client.workflow.list({ query })) {
      const plan = plans.get(workflowId.slice(experimentWorkflowId('').length));
      const phase = typedSearchAttributes.get(searchAttributes.phase);
      if (plan === undefined || phase !== 'deciding' || busy.has(plan.id)) continue;
      const acting = act(plan)
        .catch((error: unknown) => void troubles.push(`${plan.id}: ${describe(error)}`))
        .finally(() => busy.delete(plan.id));
      busy.set(plan.id, acting);
    }
  }

  const looking = (async () => {
    while (!stopping.signal.aborted) {
      await lookAround().catch((error: unknown) => void troubles.push(`a look: ${describe(error)}`));
      await pause(lookMs, stopping.signal);
    }
    await Promise.all(busy.values());
  })();
  return {
    meddled,
    comments: () => comments,
    troubles,
    stop: async () => {
      stopping.abort();
      await looking;
    },
  };
}

async function done(work: Promise<unknown>): Promise<boolean> {
  await work;
  return true;
}

function stepsOf(world: BenchWorld, { id, meddling }: ExperimentPlan, handle: Handle): readonly Step[] {
  const { pi } = world;
  const head = world.settings.heads[id] ?? '';
  const branch = branchName(id);
  const pull = async () => (await pullsOf(pi, repository, branch))[0];
  switch (meddling) {
    case 'foreign-push':
      return [
        () => done(moveBranch(pi, repository, branch, world.foreign[id] ?? '')),
        () => done(handle.signal(decisionSignals.merge, { by })),
        async () => (await askStatus(handle)).refused.some(({ why }) => why.includes(head)),
        () => done(moveBranch(pi, repository, branch, head)),
      ];
    case 'merged-by-hand':
      return [
        async () => {
          const { number, merged_at } = (await pull()) ?? { number: 0, merged_at: null };
          if (merged_at !== null) return true;
          const body = { merge_method: 'squash', sha: head, commit_message: `By-Hand: ${id}` };
          const { status } = await ask(pi, 'PUT', `/repos/${repository}/pulls/${number}/merge`, body);
          return status === 200;
        },
      ];
    case 'comment-deleted':
      return [
        async () => {
          const { number } = (await pull()) ?? { number: 0 };
          const comments = await commentsOf(pi, repository, number);
          for (const comment of comments.filter(({ body }) => body.startsWith(commentMarker(id)))) {
            await ask(pi, 'DELETE', `/repos/${repository}/issues/comments/${comment.id}`);
          }
          return true;
        },
      ];
    case 'none':
    case 'said-twice':
      return [];
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
