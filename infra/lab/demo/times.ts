import pc from 'picocolors';

import type { ExperimentStatus } from '../../../domain/experiment.ts';
import type { ToolTimes } from './tool-watch.ts';

export interface Times {
  readonly status: ExperimentStatus;
  /** Of the demo, of the experiment and its end; ms since the epoch. */
  readonly startedAt: number;
  readonly begunAt: number;
  readonly endedAt: number;
  readonly tools: ToolTimes;
}

/** Phases in which time without a tool is time that the outside takes: Copilot, the cluster's queue and its end, the PI. */
const outside = new Set(['reviewing', 'queued', 'deciding']);

/** Prints where the time went, by phase, and what Hephaestus itself cost beside the tools that it ran. */
export function tellTimes({ status, startedAt, begunAt, endedAt, tools }: Times): void {
  const rows: [string, number][] = [['start-up (Temporal, lab, worker)', begunAt - startedAt]];
  for (const { phase, startedAt: from, endedAt: to } of status.phases) {
    rows.push([phase, (to === null ? endedAt : Date.parse(to)) - Date.parse(from)]);
  }
  console.log(`\n${pc.bold('Where the time went')}`);
  for (const [name, ms] of rows) row(name, ms);
  row(pc.bold('in all'.padEnd(34)), endedAt - startedAt);
  // The command line that says merge is a process too, but no tool.
  const busy = sum(tools.busy, (phase) => phase !== 'deciding');
  const waiting = sum(tools.idle, (phase) => outside.has(phase));
  const own = sum(tools.idle, (phase) => !outside.has(phase) && phase !== 'merged');
  const share = (own / (own + busy || 1)) * 100;
  console.log(`\n${pc.bold('Of the experiment itself')}`);
  row('tools: git, uv, wandb, agents, jobs', busy);
  row('waiting: Copilot, queue, the PI', waiting);
  row('Hephaestus itself', own, `(${share.toFixed(1)} % of it and the tools)`);
  console.log('');
}

function row(name: string, ms: number, remark = ''): void {
  console.log(`  ${name.padEnd(36)}${(ms / 1000).toFixed(1).padStart(7)} s  ${remark}`.trimEnd());
}

function sum(times: Readonly<Record<string, number>>, wanted: (phase: string) => boolean): number {
  return Object.entries(times).reduce((total, [phase, ms]) => total + (wanted(phase) ? ms : 0), 0);
}
