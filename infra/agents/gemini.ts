import { z } from 'zod';

import type { GeminiSettings } from '../settings.ts';
import type { Agent, AgentEvent, AgentTurn } from './agent.ts';
import { defaultModels } from './default-models.ts';

export interface GeminiOptions {
  /** The command that starts Gemini CLI, to be followed by its arguments. */
  readonly argv: readonly string[];
  readonly settings: GeminiSettings;
  /** The only file that it may write, an absolute path; null when it may write none. */
  readonly writableFile: string | null;
  readonly maxTurns: number;
}

const Tokens = z.looseObject({
  input_tokens: z.number(),
  output_tokens: z.number(),
  total_tokens: z.number(),
});

const Event = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('message'), role: z.string(), content: z.string() }),
  z.looseObject({ type: z.literal('tool_use'), tool_name: z.string() }),
  z.looseObject({
    type: z.literal('result'),
    status: z.string(),
    error: z.looseObject({ message: z.string() }).optional(),
    stats: z.looseObject({ models: z.record(z.string(), Tokens).optional() }).optional(),
  }),
]);

/** Gemini CLI, headless, with read-only tools and at most one file that it may write. */
export function geminiAgent({ argv, settings, writableFile, maxTurns }: GeminiOptions): Agent {
  const model = settings.model ?? defaultModels.gemini.model;
  const baseUrl = settings.baseUrl ?? defaultModels.gemini.baseUrl;
  return {
    name: 'Gemini CLI',
    model,
    argv,
    files: {
      '.gemini/settings.json': JSON.stringify(settingsFile(maxTurns)),
      'policy.toml': policyFile(writableFile),
    },
    arguments: (turn) => geminiArguments(turn, model),
    environment: (home) => ({
      GEMINI_CLI_HOME: home,
      // Without this the program starts itself again, and a signal to the first process stops nothing.
      GEMINI_CLI_NO_RELAUNCH: 'true',
      GEMINI_API_KEY: settings.apiKey,
      GOOGLE_GEMINI_BASE_URL: baseUrl,
      NO_COLOR: '1',
    }),
    readEvent,
    statusOf: (exitCode) => (exitCode === null ? null : (statusByExitCode[exitCode] ?? null)),
    explainExit: (exitCode) => (exitCode === null ? null : (exitCodes[exitCode] ?? null)),
    probe: {
      url: `${baseUrl}/v1beta/models/${encodeURIComponent(model)}`,
      headers: { 'x-goog-api-key': settings.apiKey },
    },
    secrets: [settings.apiKey],
  };
}

function geminiArguments({ prompt, sessionId, resume, home }: AgentTurn, model: string): readonly string[] {
  const options = {
    '-p': prompt,
    '-m': model,
    '-o': 'stream-json',
    '--policy': `${home}/policy.toml`,
    [resume ? '--resume' : '--session-id']: sessionId,
  };
  return Object.entries(options).flat();
}

function settingsFile(maxTurns: number): object {
  return {
    // A base URL alone would choose an auth type that the headless start refuses.
    security: { auth: { selectedType: 'gemini-api-key' }, folderTrust: { enabled: false } },
    privacy: { usageStatisticsEnabled: false },
    telemetry: { enabled: false },
    // The workflow engine tries again, with its own patience; the agent's is minutes of silence.
    general: { enableAutoUpdate: false, enableAutoUpdateNotification: false, maxAttempts: 1 },
    model: { maxSessionTurns: maxTurns },
  };
}

function policyFile(writableFile: string | null): string {
  const allow = writableFile === null ? '' : allowRule(writableFile);
  const denied = ['run_shell_command', 'web_fetch', 'google_web_search', 'invoke_agent', 'enter_plan_mode'];
  const deny = writableFile === null ? [...denied, 'write_file', 'replace'] : denied;
  return `${allow}[[rule]]\ntoolName = ${JSON.stringify(deny)}\ndecision = "deny"\npriority = 300\n`;
}

/** The pattern is matched on the JSON of the arguments: the absolute path, or the bare name inside the working folder. */
function allowRule(file: string): string {
  const slash = file.lastIndexOf('/') + 1;
  const folder = escapePattern(file.slice(0, slash));
  const name = escapePattern(file.slice(slash));
  const pattern = `"file_path":"(${folder}|\\./)?${name}"`;
  return `[[rule]]\ntoolName = ["write_file", "replace"]\nargsPattern = ${JSON.stringify(pattern)}\ndecision = "allow"\npriority = 300\n\n`;
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

function readEvent(event: unknown): AgentEvent {
  const parsed = Event.safeParse(event);
  if (!parsed.success) return { kind: 'other' };
  switch (parsed.data.type) {
    case 'message':
      return parsed.data.role === 'assistant'
        ? { kind: 'text', text: parsed.data.content }
        : { kind: 'other' };
    case 'tool_use':
      return { kind: 'tool', name: parsed.data.tool_name };
    case 'result':
      return {
        kind: 'result',
        ok: parsed.data.status === 'success',
        text: null,
        structured: null,
        message: parsed.data.error?.message ?? '',
        usage: Object.entries(parsed.data.stats?.models ?? {}).map(([model, tokens]) => ({
          model,
          // What the model thought is in the total alone.
          input: tokens.input_tokens,
          output: Math.max(tokens.output_tokens, tokens.total_tokens - tokens.input_tokens),
        })),
      };
  }
}

/** An API error leaves as its HTTP status modulo 256. */
const statusByExitCode: Readonly<Record<number, number>> = {
  144: 400,
  145: 401,
  147: 403,
  148: 404,
  173: 429,
  244: 500,
  246: 502,
  247: 503,
  248: 504,
};

const exitCodes: Readonly<Record<number, string>> = {
  41: 'its authentication settings were refused',
  42: 'it found no usable prompt or session',
  44: 'its sandbox could not start',
  52: 'its settings file was refused',
  53: 'it used all the turns it was allowed',
  55: 'it does not trust the working folder',
};
