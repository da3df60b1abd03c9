import type { DecisionRequest } from '../domain/decision.ts';
import type { QualityRequest } from '../domain/decide-quality.ts';
import type { SettleRequest } from '../domain/decide-settle.ts';
import type { ExperimentInput } from '../domain/experiment.ts';
import type { InvitationInput } from '../domain/invitation.ts';
import type { JanitorInput, JanitorReport } from '../domain/orphan.ts';
import type { TemporalSettings } from '../infra/config/config.ts';
import type { NudgePayload } from '../workflows/contract.ts';
import { approveQuality, decide, nudge, settle } from './decide.ts';
import { runJanitor, type JanitorWatch } from './run-janitor.ts';
import { findByPullRequest, listExperiments, type ListFilter } from './list-experiments.ts';
import { pendingTroubles } from './pending-troubles.ts';
import { seeExperiment } from './see-experiment.ts';
import type { ListedExperiment, PendingTrouble, SeenExperiment, StartAnswer } from './seen-experiment.ts';
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
  /** Ids of the running experiments of a pull request, `owner/name#n`. */
  findByPullRequest(reference: string): Promise<readonly string[]>;
  /** What fails and is being tried again. */
  troubles(id: string): Promise<readonly PendingTrouble[]>;
  /** Returning means accepted; a refusal throws with the experiment's reason. */
  decide(id: string, request: DecisionRequest): Promise<void>;
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
  /** One visit of the janitor, to its end; one that somebody else began in the same way is attached to. */
  runJanitor(input: JanitorInput, watch: JanitorWatch): Promise<JanitorReport>;
  /** Returning means that Temporal answers. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

const pingDeadlineMs = 3000;

/** Opens the client; the connection itself is made by the first call. */
export function openExperiments(settings: TemporalSettings): Experiments {
  const link = openTemporalLink(settings);
  return {
    start: (input) => startExperiment(link, input),
    see: (id) => seeExperiment(link, id),
    list: (filter) => listExperiments(link, filter),
    findByPullRequest: (reference) => findByPullRequest(link, reference),
    troubles: (id) => pendingTroubles(link, id),
    decide: (id, request) => decide(link, id, request),
    settle: (id, request) => settle(link, id, request),
    approveQuality: (id, request) => approveQuality(link, id, request),
    invite: (input) => invite(link, input),
    startFromPullRequest: (input) => startFromPullRequest(link, input),
    nudge: (id, payload) => nudge(link, id, payload),
    runJanitor: (input, watch) => runJanitor(link, input, watch),
    ping: () =>
      link.within(pingDeadlineMs, async () => {
        await link.client.workflowService.describeNamespace({ namespace: settings.namespace });
      }),
    close: () => link.close(),
  };
}
