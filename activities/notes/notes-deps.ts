import type { AgentLimits, GeminiSettings } from '../../infra/settings.ts';

export interface NotesDeps {
  /** A folder (absolute path) or the address of a git repository. */
  readonly vault: string;
  readonly limits: AgentLimits;
  readonly gemini: GeminiSettings;
  readonly tools: { readonly gemini: readonly string[] };
  /** Absolute path of a folder of this machine; a clone of the vault, working files and transcripts go here. */
  readonly scratchDir: string;
  /** The worker's environment; git and the agent get the allowed part of it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}
