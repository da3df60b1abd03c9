import { Gauge, Registry } from 'prom-client';

import { outcomes, phases } from '../../domain/phase.ts';
import { waitsFor } from '../../domain/waits-for.ts';
import type { LabExperiment, LabSight } from '../temporal/lab-reader.ts';

/** The figures of the whole installation, in the text format that Prometheus reads. */
export interface LabMetrics {
  /** Never throws for a Temporal that is away: that is a figure too. */
  render(): Promise<string>;
}

/** Prometheus looks every 15 to 60 seconds, and several may look. */
const sightAgeMs = 10_000;

/** `read`: a look at the lab that may be so many ms old. */
export function createLabMetrics(read: (maxAgeMs: number) => Promise<LabSight>): LabMetrics {
  const registry = new Registry();
  const figures = createFigures(registry);
  return {
    async render() {
      registry.resetMetrics();
      try {
        const sight = await read(sightAgeMs);
        figures.up.set(1);
        fill(figures, sight, Date.now());
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        figures.up.set(0);
        // Of everything else nothing is known: a zero would be a lie.
        return `${await registry.getSingleMetricAsString('hephaestus_temporal_up')}\n`;
      }
      return registry.metrics();
    },
  };
}

type Figures = ReturnType<typeof createFigures>;

function createFigures(registry: Registry) {
  const gauge = (name: string, help: string, labelNames: readonly string[] = []): Gauge =>
    new Gauge({ name: `hephaestus_${name}`, help, labelNames: [...labelNames], registers: [registry] });
  const each = ['experiment'] as const;
  return {
    up: gauge('temporal_up', 'Whether Temporal answered: 1, or 0 and then nothing else is known.'),
    unanswered: gauge('experiments_unanswered', 'Running experiments for which no worker answered.'),
    experiments: gauge(
      'experiments',
      'Experiments that run, by phase, and those that ended lately, by outcome.',
      ['phase'],
    ),
    phaseSeconds: gauge(
      'experiment_phase_seconds',
      'For how long a running experiment has been in its phase.',
      [...each, 'phase'],
    ),
    awaiting: gauge('experiment_awaiting', 'Whose turn it is, for each running experiment: 1.', [
      ...each,
      'whom',
    ]),
    hoursAsked: gauge(
      'experiment_gpu_hours_asked',
      'GPU hours that the task note of a running experiment allows.',
      each,
    ),
    hoursUsed: gauge('experiment_gpu_hours_used', 'GPU hours that an experiment has used.', each),
    tokens: gauge('experiment_tokens', 'Tokens of models that an experiment has used.', each),
    duplicates: gauge(
      'experiment_duplicates_prevented',
      'Jobs of an experiment that left because another one trained.',
      each,
    ),
    syncsOpen: gauge('syncs_behind', 'Runs that have ended and are not known to be whole at W&B.'),
    syncOldest: gauge(
      'sync_oldest_seconds',
      'For how long the oldest of them has been on its way; 0 when there is none.',
    ),
    deliveries: gauge('notifications', 'Messages to people: on their way, or given up and still known.', [
      'state',
    ]),
  };
}

function fill(figures: Figures, { experiments, open }: LabSight, now: number): void {
  for (const phase of [...phases, ...outcomes]) figures.experiments.set({ phase }, 0);
  figures.unanswered.set(0);
  for (const seen of experiments) {
    figures.experiments.inc({ phase: phaseOf(seen) });
    if (seen.execution === 'RUNNING') fillRunning(figures, seen, now);
    fillSpent(figures, seen);
  }
  figures.syncsOpen.set(open.syncs);
  figures.syncOldest.set(open.oldestSyncAt === null ? 0 : secondsSince(open.oldestSyncAt, now));
  figures.deliveries.set({ state: 'open' }, open.deliveries);
  figures.deliveries.set({ state: 'failed' }, open.failedDeliveries);
}

function fillRunning(figures: Figures, { id, status }: LabExperiment, now: number): void {
  if (status === null) return figures.unanswered.inc();
  figures.phaseSeconds.set({ experiment: id, phase: status.phase }, secondsSince(status.since, now));
  figures.awaiting.set({ experiment: id, whom: waitsFor(status) }, 1);
  if (status.budget) figures.hoursAsked.set({ experiment: id }, status.budget.gpuHours);
}

function fillSpent(figures: Figures, { id, status, gpuHours }: LabExperiment): void {
  figures.hoursUsed.set({ experiment: id }, status?.cost.gpuHours ?? gpuHours ?? 0);
  if (status === null) return;
  figures.tokens.set({ experiment: id }, status.cost.tokens);
  const jobs = status.attempts.flatMap((attempt) => attempt.jobs);
  figures.duplicates.set(
    { experiment: id },
    jobs.reduce((sum, { duplicates }) => sum + duplicates.length, 0),
  );
}

function phaseOf({ execution, status, phase, outcome }: LabExperiment): string {
  if (execution === 'RUNNING') return status?.phase ?? phase ?? 'planning';
  return outcome ?? (execution === 'TERMINATED' ? 'stopped' : 'failed');
}

function secondsSince(iso: string, now: number): number {
  return Math.max(0, (now - new Date(iso).getTime()) / 1000);
}
