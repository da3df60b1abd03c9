import type { DecisionRequest } from '../domain/decision.ts';
import type { QualityRequest } from '../domain/decide-quality.ts';
import type { SettleRequest } from '../domain/decide-settle.ts';
import type { ExperimentInput } from '../domain/experiment.ts';
import type { InvitationInput } from '../domain/invitation.ts';
import type { Material } from '../domain/material.ts';
import type { Remark } from '../domain/remark.ts';
import type { PlanAnswer, PlanRequest } from '../workflows/plan-workflow.ts';
import { planNote, type PlanWatch } from './plan-note.ts';
import { keepRemark, readMaterial } from './talk-about.ts';
import type { JanitorInput, JanitorReport } from '../domain/orphan.ts';
import type { TemporalSettings } from '../infra/config/config.ts';
import { approveQuality, decide, nudge, settle } from './decide.ts';
import { createLabReader, type LabSight } from '../infra/temporal/lab-reader.ts';
import type { ExperimentCurves, NudgePayload } from '../workflows/contract.ts';
import { runJanitor, type JanitorWatch } from './run-janitor.ts';
import { findByPullRequest, listExperiments, type ListFilter } from './list-experiments.ts';
import { pendingTroubles } from './pending-troubles.ts';
import { seeCurves } from './see-curves.ts';
import { seeExperiment } from './see-experiment.ts';
import type { ListedExperiment, PendingTrouble, SeenExperiment, StartAnswer } from './seen-experiment.ts';
import { type SeenSweep, seeSweep } from './see-sweep.ts';
import { startExperiment } from './start-experiment.ts';
import { invite, startFromPullRequest } from './start-from-pull-request.ts';
import { openTemporalLink } from './temporal-link.ts';

/**
 * Everything that a person or program outside does with experiments. Every call throws `ClientError`.
 *
 * @example
 * const experiments = openExperiments(config.temporal);
 * const { phase } = await experiments.see('warmup-cosine');
 * await experiments.close();
 */
export interface Experiments {
  start(input: ExperimentInput): Promise<StartAnswer>;
  see(id: string): Promise<SeenExperiment>;
  list(filter?: ListFilter): Promise<readonly ListedExperiment[]>;
  /** All that run and the newest that ended, each with its own answer; no older than `maxAgeMs`. */
  lab(maxAgeMs?: number): Promise<LabSight>;
  /** The curves as they stand; null while there is nothing to draw, or nobody to ask. */
  curves(id: string): Promise<ExperimentCurves | null>;
  /** Ids of the running experiments of a pull request, `owner/name#n`. */
  findByPullRequest(reference: string): Promise<readonly string[]>;
  /** What fails and is being tried again. */
  troubles(id: string): Promise<readonly PendingTrouble[]>;
  /** Returning means accepted; a refusal throws with the experiment's reason. */
  decide(id: string, request: DecisionRequest): Promise<void>;
  /** The last look for runs that nobody brings to W&B; null before the first, or where there are none. */
  seeSweep(): Promise<SeenSweep | null>;
  /** Answers what only a person can settle about a submission; returning means accepted. */
  settle(id: string, request: SettleRequest): Promise<void>;
  /** A person's word on the quality gate; returning means accepted. */
  approveQuality(id: string, request: QualityRequest): Promise<void>;
  /** Asks for a look at a pull request that may start an experiment; returning means that Temporal holds it. */
  invite(input: InvitationInput): Promise<void>;
  /** Starts the experiment of a pull request, or attaches to it; a refusal throws with the reason. */
  startFromPullRequest(input: InvitationInput): Promise<StartAnswer>;
  /** Returning means that Temporal holds it. */
  nudge(id: string, nudge: NudgePayload): Promise<void>;
  /** A task note written or checked, without starting anything. */
  plan(request: PlanRequest, watch: PlanWatch): Promise<PlanAnswer>;
  /** Everything that a discussion of the results needs. */
  material(id: string): Promise<Material>;
  /** Keeps what was said for the note; false when the experiment has ended. */
  remark(id: string, remark: Remark): Promise<boolean>;
  /** One visit of the janitor, to its end; one that somebody else began in the same way is attached to. */
  runJanitor(input: JanitorInput, watch: JanitorWatch): Promise<JanitorReport>;
  /** Returning means that Temporal answers. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

const pingDeadlineMs = 3000;
/** Each call in it has a limit of its own. */
const labDeadlineMs = 60_000;

/** Opens the client; the connection itself is made by the first call. */
export function openExperiments(settings: TemporalSettings): Experiments {
  const link = openTemporalLink(settings);
  const lab = createLabReader({ client: link.client });
  return {
    start: (input) => startExperiment(link, input),
    see: (id) => seeExperiment(link, id),
    list: (filter) => listExperiments(link, filter),
    lab: (maxAgeMs) => link.within(labDeadlineMs, () => lab.read(maxAgeMs)),
    curves: (id) => seeCurves(link, id),
    findByPullRequest: (reference) => findByPullRequest(link, reference),
    troubles: (id) => pendingTroubles(link, id),
    seeSweep: () => seeSweep(link),
    decide: (id, request) => decide(link, id, request),
    settle: (id, request) => settle(link, id, request),
    approveQuality: (id, request) => approveQuality(link, id, request),
    invite: (input) => invite(link, input),
    startFromPullRequest: (input) => startFromPullRequest(link, input),
    nudge: (id, payload) => nudge(link, id, payload),
    plan: (request, watch) => planNote(link, request, watch),
    material: (id) => readMaterial(link, id),
    remark: (id, remark) => keepRemark(link, id, remark),
    runJanitor: (input, watch) => runJanitor(link, input, watch),
    ping: () =>
      link.within(pingDeadlineMs, async () => {
        await link.client.workflowService.describeNamespace({ namespace: settings.namespace });
      }),
    close: () => link.close(),
  };
}
