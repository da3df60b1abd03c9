import { join } from 'node:path';

import { Failure } from '../../infra/failure.ts';
import type { MirrorOptions } from '../../infra/git/mirror.ts';
import type { GitCall } from '../../infra/git/run-git.ts';
import type {
  AgentLimits,
  GitSettings,
  McpSettings,
  QwenSettings,
  SharedDiskSettings,
} from '../../infra/settings.ts';
import { childEnvironment } from '../../infra/agents/child-environment.ts';

export interface CodingDeps {
  readonly disk: SharedDiskSettings;
  readonly git: GitSettings;
  readonly qwen: QwenSettings;
  readonly limits: AgentLimits;
  /** GitHub's MCP server, for the setting that lets Qwen Code open the pull request. */
  readonly mcp: McpSettings;
  readonly tools: { readonly qwen: readonly string[]; readonly python: string };
  /** Where the agent's private home is made, on this machine and not on the shared disk; the temporary folder by default. */
  readonly scratchDir?: string | undefined;
  /** The worker's environment; git and the agent get the allowed part of it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Values that must not be in a commit, a message or a record. */
export function secretsOf({ qwen, git, mcp }: CodingDeps): readonly string[] {
  return [qwen.apiKey, git.pushToken, mcp.token];
}

/** `<shared>/experiments/<id>/`; the id is checked here because it becomes a path. */
export function experimentDir(deps: CodingDeps, experimentId: string): string {
  if (!/^[a-z0-9][a-z0-9-]{1,48}[a-z0-9]$/.test(experimentId)) {
    throw new Failure('TaskNoteInvalid', `"${experimentId}" is no experiment id: expected [a-z0-9-]{3,50}`);
  }
  return join(deps.disk.sharedDir, 'experiments', experimentId);
}

export function sourceDir(deps: CodingDeps, experimentId: string): string {
  return join(experimentDir(deps, experimentId), 'source');
}

export function mirrorOptions(
  deps: CodingDeps,
  repository: string,
  signal: AbortSignal | undefined,
): MirrorOptions {
  const environment = childEnvironment(deps.environment);
  return { sharedDir: deps.disk.sharedDir, repository, settings: deps.git, environment, signal };
}

export function gitCall(deps: CodingDeps, cwd: string, signal: AbortSignal | undefined): GitCall {
  return { cwd, environment: childEnvironment(deps.environment), signal };
}
