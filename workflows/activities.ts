import { ActivityCancellationType, proxyActivities, type ActivityOptions } from '@temporalio/workflow';

import type { AttemptsActivities } from '../activities/attempts/interface.ts';
import type { CodingActivities } from '../activities/coding/interface.ts';
import type { EnvironmentActivities } from '../activities/environment/interface.ts';
import type { ConversationActivities } from '../activities/github/conversation.ts';
import type { GithubActivities } from '../activities/github/interface.ts';
import type { NotesActivities } from '../activities/notes/interface.ts';
import type { PlanningActivities } from '../activities/planning/interface.ts';
import type { QizhiActivities } from '../activities/qizhi/interface.ts';
import type { WandbActivities } from '../activities/wandb/interface.ts';
import { queues } from './contract.ts';

/** A worker that dies is noticed this soon: every worker beats for every activity that it runs. */
const heartbeatTimeout = '10 seconds';

/** A short call to an outside system: it is tried for an hour, since outages of minutes are ordinary. */
const call = {
  startToCloseTimeout: '2 minutes',
  scheduleToCloseTimeout: '1 hour',
  heartbeatTimeout,
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute' },
} satisfies ActivityOptions;

/** Long work on this side (an agent, a build, an upload): few tries, since each one costs minutes or tokens. */
const work = {
  startToCloseTimeout: '2 hours',
  heartbeatTimeout,
  retry: {
    initialInterval: '5 seconds',
    backoffCoefficient: 2,
    maximumInterval: '2 minutes',
    maximumAttempts: 4,
  },
} satisfies ActivityOptions;

/** Work without an agent in it: what is tried again here is a disk or a server to be mended, which takes people hours. */
const patientWork = {
  ...work,
  scheduleToCloseTimeout: '12 hours',
  retry: { initialInterval: '5 seconds', backoffCoefficient: 2, maximumInterval: '2 minutes' },
} satisfies ActivityOptions;

/** Must come through in the end: evidence that nobody sees and a note that is lost are worth nothing. */
const mustArrive = {
  ...call,
  scheduleToCloseTimeout: '14 days',
  retry: { ...call.retry, maximumInterval: '10 minutes' },
} satisfies ActivityOptions;

/** Sends at most once: what became of it is found out by looking, never by sending again. */
const once = {
  startToCloseTimeout: '2 minutes',
  heartbeatTimeout,
  retry: { maximumAttempts: 1 },
} satisfies ActivityOptions;

/**
 * Waits by failing: an unchanged answer is a benign failure with its own next delay, so that a month of waiting costs a
 * handful of history events. Cancelled at once, because nothing is under way between two looks.
 */
const poll = {
  // Three requests that are slow to be answered, and a login before them.
  startToCloseTimeout: '3 minutes',
  scheduleToCloseTimeout: '90 days',
  heartbeatTimeout,
  cancellationType: ActivityCancellationType.TRY_CANCEL,
  // A look that found nothing new counts as a failed try too: after a week of looks, one of a worker that died in the middle is
  // followed by the longest wait there is.
  retry: { initialInterval: '10 seconds', backoffCoefficient: 1.5, maximumInterval: '1 minute' },
} satisfies ActivityOptions;

export const planning = proxyActivities<PlanningActivities>({ taskQueue: queues.planning, ...work });
export const notes = proxyActivities<NotesActivities>({
  taskQueue: queues.planning,
  ...mustArrive,
  startToCloseTimeout: '30 minutes',
});

export const agent = proxyActivities<Pick<CodingActivities, 'implementChange'>>({
  taskQueue: queues.networked,
  ...work,
});
/** At most twice: what an agent could not do is done by the API. */
export const opening = proxyActivities<Pick<CodingActivities, 'openByAgent'>>({
  taskQueue: queues.networked,
  ...work,
  startToCloseTimeout: '10 minutes',
  retry: { initialInterval: '5 seconds', maximumAttempts: 2 },
});
export const coding = proxyActivities<Omit<CodingActivities, 'implementChange' | 'openByAgent'>>({
  taskQueue: queues.networked,
  ...patientWork,
});
export const environment = proxyActivities<EnvironmentActivities>({
  taskQueue: queues.networked,
  ...patientWork,
});
export const attempts = proxyActivities<Omit<AttemptsActivities, 'awaitRecordsChange'>>({
  taskQueue: queues.networked,
  ...call,
  // A disk to be mended takes people hours.
  scheduleToCloseTimeout: patientWork.scheduleToCloseTimeout,
});
export const records = proxyActivities<Pick<AttemptsActivities, 'awaitRecordsChange'>>({
  taskQueue: queues.networked,
  ...poll,
});

export const github = proxyActivities<Omit<GithubActivities, 'awaitPullRequestChange' | 'mergePullRequest'>>({
  taskQueue: queues.github,
  ...call,
});
export const evidence = proxyActivities<Pick<GithubActivities, 'uploadCurves' | 'updateComment'>>({
  taskQueue: queues.github,
  ...mustArrive,
});
export const merging = proxyActivities<Pick<GithubActivities, 'mergePullRequest'>>({
  taskQueue: queues.github,
  ...call,
});
export const pullRequest = proxyActivities<Pick<GithubActivities, 'awaitPullRequestChange'>>({
  taskQueue: queues.github,
  ...poll,
});

export const conversation = proxyActivities<Pick<ConversationActivities, 'awaitWords'>>({
  taskQueue: queues.github,
  ...poll,
});
/** Of short use: a reaction that comes an hour later helps nobody. */
export const reply = proxyActivities<Omit<ConversationActivities, 'awaitWords'>>({
  taskQueue: queues.github,
  ...call,
  scheduleToCloseTimeout: '10 minutes',
});

export const submission = proxyActivities<Pick<QizhiActivities, 'createJob'>>({
  taskQueue: queues.qizhi,
  ...once,
});
export const platform = proxyActivities<Omit<QizhiActivities, 'createJob'>>({
  taskQueue: queues.qizhi,
  ...poll,
});

/** Waits while a job trains, as `poll` does. */
export const live = proxyActivities<Pick<WandbActivities, 'awaitLiveResults'>>({
  taskQueue: queues.wandb,
  ...poll,
  heartbeatTimeout,
});

/** Beside the training: what it has not sent when it is cancelled, the end sends. */
export const mirror = proxyActivities<Pick<WandbActivities, 'mirrorRun'>>({
  taskQueue: queues.wandb,
  ...poll,
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout,
  // Rows that arrive after the end would make the run look alive again.
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
});
/** A run of nobody may live for weeks before it can be brought up whole. */
export const tended = proxyActivities<Pick<WandbActivities, 'tendStray'>>({
  taskQueue: queues.wandb,
  ...poll,
  startToCloseTimeout: '2 hours',
  heartbeatTimeout,
});
/** Nice to know before anything is trained; what is not known in time is asked for again with the results. */
export const baselines = proxyActivities<Pick<WandbActivities, 'describeBaseline'>>({
  taskQueue: queues.wandb,
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: '3 minutes',
  heartbeatTimeout,
  retry: { initialInterval: '2 seconds', backoffCoefficient: 2, maximumAttempts: 5 },
});
export const wandb = proxyActivities<
  Omit<WandbActivities, 'awaitLiveResults' | 'mirrorRun' | 'tendStray' | 'describeBaseline'>
>({
  taskQueue: queues.wandb,
  startToCloseTimeout: '6 hours',
  scheduleToCloseTimeout: '7 days',
  heartbeatTimeout,
  retry: { initialInterval: '5 seconds', backoffCoefficient: 2, maximumInterval: '10 minutes' },
});
