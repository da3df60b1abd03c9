import pc from 'picocolors';

import type { ExperimentStatus } from '../../../domain/experiment.ts';

export interface Times {
  readonly status: ExperimentStatus;
  /** Of the demo, of the experiment and its end; ms since the epoch. */
  readonly startedAt: number;
  readonly begunAt: number;
  readonly endedAt: number;
  /** CPU seconds of Hephaestus's own processes, and of the tools that they ran. */
  readonly own: number;
  readonly tools: number;
}

/** Prints where the time went, by phase, and what Hephaestus itself cost beside the tools that it ran. */
export function tellTimes({ status, startedAt, begunAt, endedAt, own, tools }: Times): void {
  const rows: [string, number][] = [['start-up (Temporal, lab, worker)', begunAt - startedAt]];
  for (const { phase, startedAt: from, endedAt: to } of status.phases) {
    rows.push([phase, (to === null ? endedAt : Date.parse(to)) - Date.parse(from)]);
  }
  console.log(`\n${pc.bold('Where the time went')}`);
  for (const [name, ms] of rows) console.log(`  ${name.padEnd(34)}${(ms / 1000).toFixed(1).padStart(7)} s`);
  console.log(`  ${pc.bold('in all'.padEnd(34))}${((endedAt - startedAt) / 1000).toFixed(1).padStart(7)} s`);
  const share = own + tools === 0 ? 0 : (own / (own + tools)) * 100;
  console.log(
    `  ${'CPU: Hephaestus itself'.padEnd(34)}${own.toFixed(1).padStart(7)} s  (${share.toFixed(1)} % of it and the tools that it ran: ${tools.toFixed(1)} s)\n`,
  );
}
