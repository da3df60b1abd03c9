import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { addUsage, type ModelUsage, tokensOf } from '../../domain/model-usage.ts';
import type { Agent } from './agent.ts';
import type { AgentRun } from './agent-process.ts';
import { budgetSpent } from './count-tokens.ts';
import { type AgentAnswer, runAgent } from './run-agent.ts';

export type AgentSessionOptions = Omit<AgentRun, 'prompt' | 'sessionId' | 'resume' | 'home' | 'agent'> & {
  /** Where the private home is made. */
  readonly scratchDir: string;
};

/** Says the next thing in the session; the first call begins it. */
export type Say = (prompt: string) => Promise<AgentAnswer>;

/**
 * A conversation with an agent: its private home is made for it and removed after it, however it ends. `maxTokens` is for
 * the whole of it.
 *
 * @example
 * const note = await withAgentSession(agent, options, async (say) => {
 *   const first = await say('Task: …');
 *   return first.text === '' ? await say('That was empty. Again.') : first;
 * });
 */
export async function withAgentSession<T>(
  agent: Agent,
  options: AgentSessionOptions,
  talk: (say: Say) => Promise<T>,
): Promise<T> {
  await mkdir(options.scratchDir, { recursive: true });
  const home = await mkdtemp(join(options.scratchDir, 'agent-home-'));
  const sessionId = randomUUID();
  let resume = false;
  let usage: readonly ModelUsage[] = [];
  try {
    return await talk(async (prompt) => {
      const spent = tokensOf(usage);
      if (spent >= options.maxTokens) throw budgetSpent(agent.name, spent, options.maxTokens);
      const maxTokens = options.maxTokens - spent;
      const answer = await runAgent({ ...options, maxTokens, agent, prompt, home, sessionId, resume });
      resume = true;
      usage = addUsage(usage, answer.usage);
      return answer;
    });
  } finally {
    await rm(home, { recursive: true, force: true, maxRetries: 3 });
  }
}
