import { addUsage, type ModelUsage, tokensOf } from '../../domain/model-usage.ts';
import { Failure } from '../failure.ts';
import type { Agent, AgentEvent, ModelTokens } from './agent.ts';

export interface TokenCounter {
  /** Throws `AgentBudgetSpent` once the run has taken more than it may. */
  add(event: AgentEvent): void;
  usage(): readonly ModelUsage[];
}

/** Adds up what a run takes: from its answers as they come, or from its closing account where that tells more. */
export function countTokens({
  agent,
  maxTokens,
}: {
  readonly agent: Agent;
  readonly maxTokens: number;
}): TokenCounter {
  let spent: readonly ModelUsage[] = [];
  let told: readonly ModelUsage[] = [];
  const usageOf = (tokens: ModelTokens): ModelUsage => ({
    agent: agent.name,
    model: tokens.model === '' ? agent.model : tokens.model,
    input: tokens.input,
    output: tokens.output,
  });
  return {
    add(event) {
      if (event.kind === 'result') told = event.usage.map(usageOf);
      if ((event.kind !== 'text' && event.kind !== 'tool') || event.spent === undefined) return;
      spent = addUsage(spent, [usageOf(event.spent)]);
      if (tokensOf(spent) > maxTokens) throw budgetSpent(agent.name, tokensOf(spent), maxTokens);
    },
    usage: () => (tokensOf(spent) > tokensOf(told) ? spent : addUsage([], told)),
  };
}

export function budgetSpent(name: string, tokens: number, maxTokens: number): Failure {
  return new Failure(
    'AgentBudgetSpent',
    `${name} took ${tokens} tokens, ${maxTokens} are allowed for one task; ask for a smaller change, or raise HEPHAESTUS_AGENT_MAX_TOKENS`,
  );
}
