import type { Client } from '@temporalio/client';

import type { LiveRun, RunResult } from '../../domain/evidence.ts';
import { experimentWorkflowId } from '../../domain/ids.ts';
import { queues } from '../../workflows/contract.ts';
import type { ExperimentWorkflow } from '../../workflows/index.ts';
import { exampleNote } from './example-note.ts';
import {
  emptyRecords,
  observation,
  scriptedWorld,
  trained,
  jobIdOf,
  type ScriptedWorld,
} from './scripted-activities.ts';
import { Failure } from '../../infra/failure.ts';
import { quickPolicy } from './temporal-environment.ts';

/** Seeds by which the scripted platform tells its jobs apart. */
const trainsOn = 7;
const wasStopped = 8;

interface Planned {
  readonly id: string;
  readonly title: string;
  readonly seeds: readonly number[];
}

/** A day in a lab: what waits for a person, what is under way, what has ended. */
export const labDay = {
  deciding: { id: 'warmup-cosine', title: 'Cosine warm-up lowers validation loss', seeds: [0, 1, 2] },
  stalled: {
    id: 'label-smoothing',
    title: 'Label smoothing of 0.1 helps on few labels',
    seeds: [wasStopped],
  },
  training: {
    id: 'wider-hidden-layer',
    title: 'A hidden layer of twice the width pays off',
    seeds: [trainsOn],
  },
  failed: { id: 'larger-batch', title: 'Four times the batch at four times the learning rate', seeds: [3] },
} as const satisfies Record<string, Planned>;

/** The scripted world in which each experiment of `labDay` comes as far as it should. */
export function labDayWorld(): ScriptedWorld {
  const world = scriptedWorld({
    readResults: async ({ runs }) => ({
      runs: runs.map(({ runId, seed, url }) => curveOf(runId, seed, url, 0.231 + seed * 0.004)),
      baseline: {
        name: 'first-baseline',
        runs: [0, 1, 2].map((seed) =>
          curveOf(`b${seed}`, seed, 'http://wandb.example/b', 0.25 + seed * 0.005),
        ),
      },
    }),
    awaitLiveResults: async ({ runs, metric, since }) => {
      if (since !== null && since.rows > 0) {
        throw new Failure('LiveUnchanged', 'nothing changed', { retryAfterMs: 60_000 });
      }
      return {
        runs: runs.map(({ runId, seed }): LiveRun => ({
          ...curveOf(runId, seed, `http://wandb.example/lab/digits/runs/${runId}`, 0.4, 0.5),
          state: 'running',
        })),
        baseline: null,
        asOf: new Date().toISOString(),
        metric,
      };
    },
    freezeEnvironment: async ({ experimentId }) => {
      if (experimentId === labDay.failed.id) {
        throw new Failure(
          'EnvironmentNotPortable',
          'libcudnn.so.9 is not in the environment and not in the image: name it in uv.lock, or take an image that has it',
        );
      }
      return { digest: 'd'.repeat(64), reused: true, packages: 12, bytes: 1, missingGuarantees: [] };
    },
  });
  world.jobs.set(trainsOn, {
    observation: observation({ jobId: jobIdOf(trainsOn), runningMs: 5_400_000 }),
    records: { ...emptyRecords, claim: { jobId: jobIdOf(trainsOn), host: 'node-7', at: 0 } },
  });
  world.jobs.set(wasStopped, {
    observation: observation({
      jobId: jobIdOf(wasStopped),
      state: 'stopped',
      rawStatus: 'job_stopped',
      runningMs: 1_200_000,
    }),
    records: { ...emptyRecords, claim: { jobId: jobIdOf(wasStopped), host: 'node-8', at: 0 } },
  });
  world.jobs.set(3, trained(3));
  return world;
}

export async function startPlanned(client: Client, { id, title, seeds }: Planned) {
  const note = exampleNote({ id, title, seeds: [...seeds] });
  return client.workflow.start<typeof ExperimentWorkflow>('ExperimentWorkflow', {
    workflowId: experimentWorkflowId(id),
    taskQueue: queues.experiments,
    args: [
      {
        id,
        source: { kind: 'note', note, body: '## Why\nTo see.\n' },
        by: 'test',
        policy: quickPolicy,
      },
    ],
  });
}

/** A loss that falls to `last`, with a little noise that is always the same; `part` of its steps are there. */
function curveOf(runId: string, seed: number, url: string, last: number, part: number = 1): RunResult {
  const step = Array.from({ length: Math.round(60 * part) }, (_, index) => index);
  const value = step.map((at) => last + 2 * Math.exp(-at / 9) + 0.02 * Math.sin(at * 1.7 + seed * 2));
  return {
    runId,
    url,
    seed,
    value: last,
    lastStep: step.length - 1,
    rows: step.length,
    curve: { label: `seed ${seed}`, seed, step, value },
  };
}
