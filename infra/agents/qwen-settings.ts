/** One tool of one MCP server. */
export interface OnlyTool {
  readonly server: string;
  readonly tool: string;
  /** The server as Qwen Code's settings describe one. */
  readonly settings: object;
  /** What of the settings must never be seen. */
  readonly secrets: readonly string[];
}

const common = {
  security: { auth: { selectedType: 'openai' } },
  privacy: { usageStatisticsEnabled: false },
  telemetry: { enabled: false },
  general: { enableAutoUpdate: false, gitCoAuthor: false },
  // Otherwise a second agent goes on calling the model after the run.
  memory: { enableManagedAutoMemory: false, enableManagedAutoDream: false, enableAutoSkill: false },
  agents: { crossSessionMessaging: false },
  model: { generationConfig: { timeout: 120_000, maxRetries: 0 } },
} as const;

const deniedWhileCoding = [
  'Bash(git push *)',
  'Bash(git commit *)',
  'Bash(gh *)',
  'WebFetch',
  'enter_worktree',
  'cron_create',
];

const deniedBesideOneTool = [
  'Bash',
  'Edit',
  'Write',
  'WebFetch',
  'agent',
  'skill',
  'enter_worktree',
  'cron_create',
  'monitor',
];

/** Qwen Code's `settings.json`: for coding, or for the use of one tool alone. */
export function qwenSettingsFile(only: OnlyTool | undefined): object {
  if (only === undefined) {
    return { ...common, tools: { useBuiltinRipgrep: false }, permissions: { deny: deniedWhileCoding } };
  }
  return {
    ...common,
    mcpServers: { [only.server]: only.settings },
    // Tools of servers are hidden otherwise, until the model searches for them.
    tools: { useBuiltinRipgrep: false, visible: [`mcp__${only.server}__${only.tool}`] },
    permissions: { deny: deniedBesideOneTool },
  };
}
