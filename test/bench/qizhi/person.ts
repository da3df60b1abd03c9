import type { WorkflowHandle } from '@temporalio/client';

import type { ExperimentStatus } from '../../../domain/experiment.ts';
import { experimentWorkflowId, jobName } from '../../../domain/ids.ts';
import { decisionSignals, searchAttributes, settleSignal } from '../../../workflows/contract.ts';
import type { ExperimentWorkflow } from '../../../workflows/index.ts';
import { askStatus } from './ask-status.ts';
import type { BenchWorld } from './bench-world.ts';
import { attemptsAllowed, type ExperimentPlan } from './experiment-plan.ts';
import { pause } from '../../../infra/pause.ts';

export interface Person {
  /** How the questions about submissions whose answer was lost were answered. */
  readonly answers: { exists: number; none: number };
  /** How often they had to say what to do without evidence: again, or, where no attempt was left, to give up. */
  readonly words: { again: number; gaveUp: number };
  /** What went wrong when they looked or spoke; it is tried again, so this matters only where an experiment is stuck. */
  readonly troubles: readonly string[];
  stop(): Promise<void>;
}

type Handle = WorkflowHandle<typeof ExperimentWorkflow>;

const lookMs = 500;
const againMs = 20_000;
/** Every question to an experiment makes a worker replay it. */
const askEveryMs = 4000;
const by = 'the PI of the bench';

/**
 * Plays the PI of all experiments: decides on evidence as was drawn, stops a training where that was drawn, and answers
 * what is asked, by a look at the truth of the platform. They speak by signals, as from the Web UI: an update that meets a
 * worker which has just lost the workflow to a killed one can be written down in an order that no replay follows.
 */
export function startPerson(world: BenchWorld, plans: ReadonlyMap<string, ExperimentPlan>): Person {
  const stopping = new AbortController();
  const answers = { exists: 0, none: 0 };
  const words = { again: 0, gaveUp: 0 };
  const askedAt = new Map<string, number>();
  const saidAt = new Map<string, number>();
  const troubles: string[] = [];
  const busy = new Map<string, Promise<void>>();

  async function act(plan: ExperimentPlan, phase: string): Promise<void> {
    const handle = world.client.workflow.getHandle<typeof ExperimentWorkflow>(experimentWorkflowId(plan.id));
    if (phase === 'deciding' || (phase === 'training' && plan.word === 'stop')) {
      await sayOnce(`${plan.id} ${phase}`, () => handle.signal(decisionSignals[plan.word], { by }));
    }
    if (phase !== 'submitting' || Date.now() - (askedAt.get(plan.id) ?? 0) < askEveryMs) return;
    askedAt.set(plan.id, Date.now());
    const status = await askStatus(handle);
    await answerQuestions(handle, plan, status);
    const last = status.attempts.at(-1);
    if (last?.jobs.every(({ state }) => state === 'failed')) await sayWhatNow(handle, plan, last.number);
  }

  async function answerQuestions(
    handle: Handle,
    { id }: ExperimentPlan,
    { attempts }: ExperimentStatus,
  ): Promise<void> {
    const last = attempts.at(-1);
    for (const { seed, question } of last?.jobs ?? []) {
      if (question === null) continue;
      const name = jobName(id, last?.number ?? 0, seed);
      const job = (await world.lab.jobs()).find(({ request }) => request.name === name);
      const jobId = job?.id ?? null;
      const said = await sayOnce(name, () => handle.signal(settleSignal, { by, seed, jobId }));
      if (said) answers[job === undefined ? 'none' : 'exists'] += 1;
    }
  }

  async function sayWhatNow(handle: Handle, { id }: ExperimentPlan, attempt: number): Promise<void> {
    const kind = attempt < attemptsAllowed ? 'rerun' : 'reject';
    const said = await sayOnce(`${id} ${attempt} ${kind}`, () =>
      handle.signal(decisionSignals[kind], { by }),
    );
    if (said) words[kind === 'rerun' ? 'again' : 'gaveUp'] += 1;
  }

  /** A word may come while another is carried out: it is said again after a while. True for the first time. */
  async function sayOnce(what: string, say: () => Promise<void>): Promise<boolean> {
    const before = saidAt.get(what);
    if (before !== undefined && Date.now() - before < againMs) return false;
    await say();
    saidAt.set(what, Date.now());
    return before === undefined;
  }

  /** Nobody answers while workers are dead, and an experiment may end meanwhile: the next look tells. */
  function complain(what: string, error: unknown): void {
    troubles.push(`${what}: ${describe(error)}`);
  }

  async function lookAround(): Promise<void> {
    const query = "WorkflowType = 'ExperimentWorkflow' AND ExecutionStatus = 'Running'";
    for await (const { workflowId, typedSearchAttributes } of world.client.workflow.list({ query })) {
      const plan = plans.get(workflowId.slice(experimentWorkflowId('').length));
      const phase = typedSearchAttributes.get(searchAttributes.phase);
      if (plan === undefined || phase === undefined || busy.has(plan.id)) continue;
      const acting = act(plan, phase)
        .catch((error: unknown) => complain(`${plan.id}, ${phase}`, error))
        .finally(() => busy.delete(plan.id));
      busy.set(plan.id, acting);
    }
  }

  const looking = (async () => {
    while (!stopping.signal.aborted) {
      await lookAround().catch((error: unknown) => complain('a look at all experiments', error));
      await pause(lookMs, stopping.signal);
    }
    await Promise.all(busy.values());
  })();
  return {
    answers,
    words,
    troubles,
    stop: async () => {
      stopping.abort();
      await looking;
    },
  };
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
