import type { DecisionRequest } from '../domain/decision.ts';
import type { SettleRequest } from '../domain/decide-settle.ts';
import type { ExperimentInput } from '../domain/experiment.ts';
import type { JanitorInput, JanitorReport } from '../domain/orphan.ts';
import type { TemporalSettings } from '../infra/config/config.ts';
import { createLabReader, type LabSight } from '../infra/temporal/lab-reader.ts';
import type { ExperimentCurves } from '../workflows/contract.ts';
import { decide, nudge, settle } from './decide.ts';
import { runJanitor, type JanitorWatch } from './run-janitor.ts';
import { findByPullRequest, listExperiments, type ListFilter } from './list-experiments.ts';
import { pendingTroubles } from './pending-troubles.ts';
import { seeCurves } from './see-curves.ts';
import { seeExperiment } from './see-experiment.ts';
import type { ListedExperiment, PendingTrouble, SeenExperiment, StartAnswer } from './seen-experiment.ts';
import { startExperiment } from './start-experiment.ts';
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
  /** Answers what only a person can settle about a submission; returning means accepted. */
  settle(id: string, request: SettleRequest): Promise<void>;
  /** Returning means that Temporal holds it. */
  nudge(id: string, delivery: string): Promise<void>;
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
    decide: (id, request) => decide(link, id, request),
    settle: (id, request) => settle(link, id, request),
    nudge: (id, delivery) => nudge(link, id, delivery),
    runJanitor: (input, watch) => runJanitor(link, input, watch),
    ping: () =>
      link.within(pingDeadlineMs, async () => {
        await link.client.workflowService.describeNamespace({ namespace: settings.namespace });
      }),
    close: () => link.close(),
  };
}
