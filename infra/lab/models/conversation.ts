/** One answer of a tool, as the agent sent it back. */
interface ToolResult {
  readonly name: string;
  readonly text: string;
}

/** What one request asks of a model, the same for both protocols. */
export interface Conversation {
  readonly protocol: 'gemini' | 'openai';
  readonly model: string;
  /** The last prompt, without what the agent puts around it. */
  readonly prompt: string;
  /** Prompts before the last one: 0 in a new session. */
  readonly turn: number;
  /** Answers of the tools that were called since the last prompt. */
  readonly results: readonly ToolResult[];
  readonly tools: readonly string[];
  /** The agent's working directory, as its own context says; '' when it does not. */
  readonly cwd: string;
}

export interface ToolCall {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** One answer of a model: text, tool calls, or both. */
export interface Reply {
  readonly text: string;
  readonly calls: readonly ToolCall[];
}

/** Text that an agent adds by itself is wrapped in a tag at its beginning. */
export function isContext(text: string): boolean {
  return /^\s*<(?:system-reminder|session_context|loaded_context)/.test(text);
}

/** The working directory in the context of either agent. */
export function findCwd(texts: readonly string[]): string {
  for (const text of texts) {
    const match =
      /working in the directory: (\/[^\n]+)/.exec(text) ??
      /Workspace Directories:\*\*\n\s*- (\/[^\n]+)/.exec(text);
    if (match?.[1] !== undefined) return match[1].trim();
  }
  return '';
}
