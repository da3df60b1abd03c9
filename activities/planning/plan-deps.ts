import type { AgentLimits, GeminiSettings } from '../../infra/settings.ts';

export interface PlanningDeps {
  readonly gemini: GeminiSettings;
  readonly limits: AgentLimits;
  readonly tools: { readonly gemini: readonly string[] };
  /** A folder (absolute path) or the address of a git repository. */
  readonly vault: string;
  /** A file that lists what may be asked of the cluster; undefined where none is kept. */
  readonly resourcesFile: string | undefined;
  /** Absolute path of a folder of this machine; working files and transcripts of the agent go here. */
  readonly scratchDir: string;
  /** The worker's environment; the agent gets the allowed part of it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}
