/** What one model was asked for, by one agent. */
export interface ModelUsage {
  /** For example `Gemini CLI`. */
  readonly agent: string;
  /** As the agent names it. */
  readonly model: string;
  /** Tokens; what came from a cache is part of it. */
  readonly input: number;
  readonly output: number;
}

/** The same, one entry for each agent and model, in the order in which they were first seen. */
export function addUsage(known: readonly ModelUsage[], more: readonly ModelUsage[]): ModelUsage[] {
  const sums: ModelUsage[] = [];
  for (const one of [...known, ...more]) {
    const at = sums.findIndex(({ agent, model }) => agent === one.agent && model === one.model);
    const before = sums[at];
    if (before === undefined) sums.push(one);
    else sums[at] = { ...one, input: before.input + one.input, output: before.output + one.output };
  }
  return sums;
}

export function tokensOf(usage: readonly ModelUsage[]): number {
  return usage.reduce((sum, { input, output }) => sum + input + output, 0);
}
