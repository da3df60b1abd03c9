/**
 * One worker process of the bench: the real workflows and the real activities of GitHub, everything else scripted. It ends
 * on SIGTERM, and is expected to be killed at any moment.
 */
import { NativeConnection, Worker } from '@temporalio/worker';
import { getOneMessage, sendMessage } from 'execa';

import { guardActivities } from '../../../activities/boundary.ts';
import type { CodingActivities } from '../../../activities/coding/interface.ts';
import { createConversationActivities } from '../../../activities/github/create-conversation-activities.ts';
import { createGithubActivities } from '../../../activities/github/create-github-activities.ts';
import { branchName } from '../../../domain/ids.ts';
import { Failure } from '../../../infra/failure.ts';
import { createGithubClient } from '../../../infra/github/create-github-client.ts';
import { heartbeatInterceptor } from '../../../workers/heartbeat-interceptor.ts';
import { queues } from '../../../workflows/contract.ts';
import { scriptedWorld } from '../../support/scripted-activities.ts';
import { quietRuntime } from '../../support/temporal-environment.ts';
import { moveBranch } from './lab-client.ts';
import type { WorkerSettings } from './worker-settings.ts';
import { workflowTaskOptions } from '../../../workers/workflow-task-options.ts';

const concurrency = {
  experiments: 20,
  github: 8,
  qizhi: 10,
  networked: 10,
  wandb: 10,
  planning: 5,
  notifications: 1,
} as const satisfies Record<keyof typeof queues, number>;

/** Shorter than in the product, so that an answer that never comes costs little. */
const timeoutMs = 15_000;

const settings = (await getOneMessage()) as WorkerSettings;
quietRuntime();
const connection = await NativeConnection.connect({ address: settings.address });
const activities = { ...scriptedWorld().activities, ...realActivities(settings), ...codeOf(settings) };
const workers = await Promise.all(
  Object.entries(concurrency).map(([queue, most]) =>
    Worker.create({
      connection,
      namespace: settings.namespace,
      taskQueue: queue,
      activities,
      maxConcurrentActivityTaskExecutions: most,
      interceptors: { activity: [heartbeatInterceptor] },
      shutdownGraceTime: '2 seconds',
      ...(queue === queues.experiments && {
        workflowBundle: { codePath: settings.bundleFile },
        ...workflowTaskOptions,
      }),
    }),
  ),
);
const running = workers.map((worker) => worker.run());
await sendMessage('ready');
await Promise.all(running);
await connection.close();

function realActivities({ github }: WorkerSettings): object {
  const client = createGithubClient(github, { timeoutMs });
  // The picture is the same for all: drawing it is measured elsewhere.
  return {
    ...createGithubActivities({ github: client, draw: async () => Buffer.from('a picture') }),
    ...createConversationActivities({ github: client }),
  };
}

/** The change of each experiment is a commit that the lab has already; pushing it is moving its branch there. */
function codeOf({
  heads,
  github,
  repository,
}: WorkerSettings): Pick<CodingActivities, 'implementChange' | 'pushBranch'> {
  return guardActivities<Pick<CodingActivities, 'implementChange' | 'pushBranch'>>({
    async implementChange({ experimentId }) {
      const headSha = heads[experimentId];
      if (headSha === undefined) throw new Failure('ChangeEmpty', `no commit was made for ${experimentId}`);
      return { headSha, summary: 'a schedule', changedPaths: [`${experimentId}.py`], tokens: 1 };
    },
    pushBranch: ({ experimentId, headSha }) =>
      moveBranch(github, repository, branchName(experimentId), headSha),
  });
}
