import { join } from 'node:path';

import { execa } from 'execa';

const modules = join(import.meta.dirname, '..', '..', '..', 'infra', 'wandb');

const script = (options: object): string => `
  const { createSyncAgent } = await import(${JSON.stringify(`${modules}/create-sync-agent.ts`)});
  const agent = await createSyncAgent({ ...${JSON.stringify(options)},
    signal: new AbortController().signal, onRun: () => undefined });
  const started = performance.now();
  const { runs } = await agent.round();
  const seconds = (performance.now() - started) / 1000;
  const megabytes = process.resourceUsage().maxRSS / 1000;
  console.log(JSON.stringify({ statuses: runs.map(({ status }) => status), seconds, megabytes }));`;

export interface AgentRound {
  readonly statuses: readonly string[];
  readonly seconds: number;
  /** The most that the agent's own process held; its clients are processes of their own. */
  readonly megabytes: number;
}

/** One round of the agent in a process of its own, so that neither the server nor the measuring counts as its memory. */
export async function roundInProcess(options: object): Promise<AgentRound> {
  const { stdout } = await execa(process.execPath, ['--input-type=module', '-e', script(options)]);
  return JSON.parse(stdout) as AgentRound;
}
