import { ApplicationFailure, setHandler } from '@temporalio/workflow';

import type { DecisionAnswer } from '../domain/decide-decision.ts';
import type { QualityRequest } from '../domain/decide-quality.ts';
import { decideSettle, type SettleRequest } from '../domain/decide-settle.ts';
import { decisionKinds, type DecisionKind, type DecisionRequest } from '../domain/decision.ts';
import {
  decideUpdate,
  decisionSignals,
  jobProgressSignal,
  nudgeSignal,
  qualitySignal,
  qualityUpdate,
  settleSignal,
  settleUpdate,
  statusQuery,
  type DecisionPayload,
  type JobProgress,
  type NudgePayload,
  type QualityPayload,
  type SettlePayload,
} from './contract.ts';
import { show, statusOf, type Experiment } from './experiment-state.ts';
import { accept, acceptQuality, judge, judgeQuality, refuse } from './take-decision.ts';

/** Deliveries that are remembered, so that a redelivered webhook changes nothing; GitHub redelivers within days. */
const rememberedDeliveries = 1000;

/**
 * Installs every message handler; called before the first await, so that no buffered message is lost. Handlers only
 * judge and record: the story acts. `stop` is called when a stop was accepted, in whatever phase.
 */
export function listen(experiment: Experiment, stop: () => void): void {
  for (const kind of decisionKinds) {
    setHandler(
      decisionSignals[kind],
      (payload) => {
        const request = requestFrom(kind, payload);
        const answer = judge(experiment, request);
        if (answer.status === 'accept') accept(experiment, request, stop);
        else refuse(experiment, request, answer.why);
      },
      { description: descriptions[kind] },
    );
  }
  setHandler(
    decideUpdate,
    (request) => {
      accept(experiment, request, stop);
      return { status: 'accept' };
    },
    {
      validator: (request) => validate(experiment, request),
      description: 'A decision, answered or refused at once',
    },
  );
  setHandler(qualitySignal, (payload) => hearQuality(experiment, payload), {
    description: 'A person overrides the quality gate: { by, verdict: "pass" | "block", reason }',
  });
  setHandler(
    qualityUpdate,
    (request) => {
      acceptQuality(experiment, request);
      return { status: 'accept' };
    },
    {
      validator: (request) => {
        const answer = judgeQuality(experiment, request);
        if (answer.status === 'refuse') throw refusal(answer.why);
      },
      description: 'The same, answered or refused at once',
    },
  );
  setHandler(nudgeSignal, nudgeHandler(experiment), { description: "A webhook's look again: { delivery }" });
  setHandler(jobProgressSignal, (progress) => recordProgress(experiment, progress), {
    description: 'From the workflow of a job',
  });
  setHandler(settleSignal, (payload) => hearSettle(experiment, payload), {
    description:
      'The answer to an unknown submission: { by, seed, jobId: "job-…" } or { by, seed, jobId: null } for none',
  });
  setHandler(
    settleUpdate,
    (request) => {
      acceptSettle(experiment, request);
      return { status: 'accept' };
    },
    {
      validator: (request) => {
        const answer = judgeSettle(experiment, request);
        if (answer.status === 'refuse') throw refusal(answer.why);
      },
      description: 'The answer to an unknown submission, answered or refused at once',
    },
  );
  setHandler(statusQuery, () => statusOf(experiment), { description: 'The whole state of the experiment' });
}

const descriptions = {
  merge: 'Merge what was shown: { by, head?, reason? }; may be empty',
  reject: 'Reject what was shown: { by, head?, reason? }; may be empty',
  stop: 'Stop now, in any phase: { by, reason? }; may be empty',
  revise: 'New instructions for the coding agent: { by, instructions }',
  rerun: 'The same head with other seeds: { by, seeds? }; may be empty',
} as const satisfies Record<DecisionKind, string>;

function validate(experiment: Experiment, request: DecisionRequest): void {
  if (!isDecisionKind(request.kind)) {
    throw refusal(`"${String(request.kind)}" is no decision: expected one of ${decisionKinds.join(', ')}`);
  }
  const answer = judge(experiment, request);
  if (answer.status === 'refuse') throw refusal(answer.why);
}

function hearQuality(experiment: Experiment, payload: QualityPayload | undefined): void {
  const { by, verdict, reason, head } = recordOf(payload);
  const name = textOf(by) ?? anonymous;
  if (verdict !== 'pass' && verdict !== 'block') {
    const why = 'expected { "by": "…", "verdict": "pass" or "block", "reason": "…" }';
    refuse(experiment, { kind: 'approve-quality', by: name }, why);
    return;
  }
  const given = { verdict, reason: textOf(reason) ?? 'no reason was given', head: textOf(head) } as const;
  const request: QualityRequest = { by: name, ...given };
  const answer = judgeQuality(experiment, request);
  if (answer.status === 'accept') acceptQuality(experiment, request);
  else refuse(experiment, { kind: 'approve-quality', by: name }, answer.why);
}

function nudgeHandler(experiment: Experiment): (payload?: NudgePayload) => void {
  const seen: string[] = [];
  return (payload) => {
    const { delivery: given, about } = recordOf(payload);
    const delivery = textOf(given);
    if (delivery !== undefined) {
      if (seen.includes(delivery)) return;
      seen.push(delivery);
      if (seen.length > rememberedDeliveries) seen.shift();
    }
    if (about !== 'conversation') experiment.nudges += 1;
    if (about !== 'review') experiment.conversationNudges += 1;
  };
}

function recordProgress(experiment: Experiment, progress: JobProgress): void {
  const attempt = experiment.attempts.find(({ number }) => number === progress.attempt);
  const job = attempt?.jobs.find(({ seed }) => seed === progress.seed);
  if (attempt === undefined || job === undefined) return;
  const { state, detail, jobId, question, gpuHours, gpus } = progress;
  attempt.jobs[attempt.jobs.indexOf(job)] = { ...job, state, detail, jobId, question, gpuHours };
  if (gpus > 0) attempt.running.set(progress.seed, { gpus, since: Date.now() });
  else attempt.running.delete(progress.seed);
  show(experiment);
}

function judgeSettle(experiment: Experiment, request: SettleRequest): DecisionAnswer {
  return decideSettle(request, experiment.attempts.at(-1)?.jobs ?? []);
}

/** What has been answered is asked no more, so that a second answer is refused instead of being lost. */
function acceptSettle({ attempts, answers }: Experiment, { by, seed, jobId }: SettleRequest): void {
  const attempt = attempts.at(-1);
  const job = attempt?.jobs.find((each) => each.seed === seed);
  if (attempt === undefined || job === undefined) return;
  attempt.jobs[attempt.jobs.indexOf(job)] = { ...job, question: null, detail: `${by} answered` };
  answers.set(`${attempt.number}/${seed}`, { by, jobId });
}

/** `jobId` must be there, and be null, to say that there is no job: an empty payload says nothing. */
function settleFrom(payload: SettlePayload | undefined): SettleRequest | null {
  const { by, seed, jobId } = recordOf(payload);
  if (typeof seed !== 'number' || (jobId !== null && typeof jobId !== 'string')) return null;
  return { by: textOf(by) ?? anonymous, seed, jobId };
}

function hearSettle(experiment: Experiment, payload: SettlePayload | undefined): void {
  const request = settleFrom(payload);
  const by = textOf(recordOf(payload)['by']) ?? anonymous;
  if (request === null) {
    refuse(
      experiment,
      { kind: 'settle', by },
      'expected { "seed": 0, "jobId": "job-…" }, or "jobId": null for none',
    );
    return;
  }
  const answer = judgeSettle(experiment, request);
  if (answer.status === 'accept') acceptSettle(experiment, request);
  else refuse(experiment, { kind: 'settle', by }, answer.why);
}

const anonymous = 'somebody in the Temporal Web UI';

/** A signal's payload comes from anybody's hands: whatever is not of its shape counts as not given. */
function requestFrom(kind: DecisionKind, payload: DecisionPayload | undefined): DecisionRequest {
  const { by, head, reason, instructions, seeds } = recordOf(payload);
  return {
    kind,
    by: textOf(by) ?? anonymous,
    head: textOf(head),
    reason: textOf(reason),
    instructions: textOf(instructions),
    seeds: Array.isArray(seeds) ? seeds.map(Number) : undefined,
  };
}

function recordOf(payload: unknown): Record<string, unknown> {
  return typeof payload === 'object' && payload !== null ? (payload as Record<string, unknown>) : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}

function isDecisionKind(kind: unknown): kind is DecisionKind {
  return (decisionKinds as readonly unknown[]).includes(kind);
}

function refusal(why: string): ApplicationFailure {
  return ApplicationFailure.create({ type: 'DecisionRefused', message: why, nonRetryable: true });
}
