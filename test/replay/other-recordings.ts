import type { WorkflowHandle } from '@temporalio/client';

import type { PlannedEvent } from '../../domain/notification.ts';
import { Failure } from '../../infra/failure.ts';
import { startNotifier, notifierWorkflowId } from '../../infra/temporal/start-notifier.ts';
import { decisionSignals, queues } from '../../workflows/contract.ts';
import type {
  ExperimentWorkflow,
  JanitorWorkflow,
  PlanWorkflow,
  PullRequestWorkflow,
  SweepWorkflow,
} from '../../workflows/index.ts';
import { exampleNote } from '../support/example-note.ts';
import { scriptedWorld } from '../support/scripted-activities.ts';
import { quickPolicy, withWorld, type TemporalEnvironment } from '../support/temporal-environment.ts';
import { untilDeciding } from './experiment-shapes.ts';

/** Runs a workflow on a real server; resolves with its id when all of it is in the history. */
export type Recording = (temporal: TemporalEnvironment) => Promise<string>;

/** The workflows beside the experiments. */
export const otherRecordings: Readonly<Record<string, Recording>> = {
  visit: async (temporal) => {
    const handle = await withWorld(temporal, scriptedWorld(), () =>
      temporal.client.workflow.start<typeof JanitorWorkflow>('JanitorWorkflow', {
        workflowId: 'janitor',
        taskQueue: queues.experiments,
        args: [{ dryRun: false, graceMinutes: 1, heartbeatSeconds: 1 }],
      }),
    );
    const { stopped } = await handle.result();
    if (stopped !== 1) throw new Error(`the janitor stopped ${stopped} jobs instead of one`);
    return handle.workflowId;
  },

  // What W&B says against the metric goes back to the planner once.
  planned: async (temporal) => {
    const world = scriptedWorld({
      describeBaseline: async () => ({ name: 'first-baseline', runs: 3, metrics: ['val/acc'] }),
      planTaskNote: async ({ experimentId, previous }) => {
        const metric = previous ? { name: 'val/acc', goal: 'maximize' as const } : exampleNote().metric;
        return { note: exampleNote({ id: experimentId, metric }), body: '', tokens: 1 };
      },
    });
    const place = { id: 'planned', repository: 'lab/digits', base: 'main' };
    const handle = await withWorld(temporal, world, () =>
      temporal.client.workflow.start<typeof PlanWorkflow>('PlanWorkflow', {
        workflowId: 'plan/planned',
        taskQueue: queues.experiments,
        args: [{ ...place, kind: 'write', idea: 'warm the learning rate up', previous: null }],
      }),
    );
    await handle.result();
    return handle.workflowId;
  },

  invited: async (temporal) => {
    const id = 'invited';
    const note = exampleNote({ id, seeds: [0] });
    const pullRequest = { number: 1, url: 'http://github.example/lab/digits/pull/1' };
    const world = scriptedWorld({
      lookAtInvitation: async () => ({
        status: 'welcome',
        by: 'ann',
        draft: false,
        source: { kind: 'pull-request', note, body: '', branch: 'idea', pullRequest },
      }),
    });
    const { client } = temporal;
    return withWorld(temporal, world, async () => {
      const handle = await client.workflow.start<typeof PullRequestWorkflow>('PullRequestWorkflow', {
        workflowId: 'pull-request/lab/digits/1',
        taskQueue: queues.experiments,
        args: [{ repository: note.repository, number: 1, by: null, policy: quickPolicy }],
      });
      await handle.result();
      const experiment: WorkflowHandle<typeof ExperimentWorkflow> = client.workflow.getHandle(
        `experiment/${id}`,
      );
      await untilDeciding(experiment, 1);
      await experiment.signal(decisionSignals.merge, { by: 'ann' });
      await experiment.result();
      return handle.workflowId;
    });
  },

  swept: async (temporal) => {
    const stray = { runId: 'left', entity: 'lab', project: 'digits', logs: ['/shared/run-left.wandb'] };
    const world = scriptedWorld({
      findStrays: async () => ({ strays: [stray], runs: 1, quarantined: [] }),
    });
    const { client } = temporal;
    return withWorld(temporal, world, async () => {
      const handle = await client.workflow.start<typeof SweepWorkflow>('SweepWorkflow', {
        workflowId: 'sweep',
        taskQueue: queues.experiments,
        args: [],
      });
      await handle.result();
      await client.workflow.getHandle('wandb/lab/digits/left').result();
      return handle.workflowId;
    });
  },

  // One thing is told, and then there is nothing for a while: it never ends by itself.
  told: async (temporal) => {
    const told = Promise.withResolvers<void>();
    const quiet = Promise.withResolvers<void>();
    const world = scriptedWorld({
      awaitEvents: async ({ known }) => {
        const at = Date.now();
        const { key } = event;
        if (known.length === 0) {
          return { at, events: [{ ...event, dueAt: at }], seen: [key], gone: [], channels: ['slack'] };
        }
        quiet.resolve();
        throw new Failure('NothingToTell', 'nothing is new', { retryAfterMs: 60_000 });
      },
      deliver: async () => told.resolve(),
    });
    return withWorld(temporal, world, async () => {
      await startNotifier(temporal.client);
      await Promise.all([told.promise, quiet.promise]);
      await temporal.client.workflow.getHandle(notifierWorkflowId).terminate('it is recorded');
      return notifierWorkflowId;
    });
  },
};

const event: Omit<PlannedEvent, 'dueAt'> = {
  key: 'told/decision/1',
  kind: 'decision',
  experimentId: 'told',
  title: 'Warm the learning rate up',
  phase: 'deciding',
  sentence: 'merge, reject, revise, rerun or stop',
  verdict: '',
  cost: { gpuHours: 0.1, tokens: 10 },
  links: [],
};
