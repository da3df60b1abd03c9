import { z } from 'zod';

import type { QwenSettings } from '../settings.ts';
import type { Agent, AgentEvent, AgentTurn } from './agent.ts';
import { defaultModels } from './default-models.ts';
import { type OnlyTool, qwenSettingsFile } from './qwen-settings.ts';

export interface QwenOptions {
  /** The command that starts Qwen Code, to be followed by its arguments. */
  readonly argv: readonly string[];
  readonly settings: QwenSettings;
  /** JSON Schema of the report that it must end with. */
  readonly reportSchema: object;
  readonly maxTurns: number;
  readonly maxToolCalls: number;
  /** Given where it may use one tool of an MCP server and nothing else: no file, no shell. */
  readonly only?: OnlyTool | undefined;
}

const Usage = z.looseObject({
  input_tokens: z.number(),
  output_tokens: z.number(),
});

const Event = z.discriminatedUnion('type', [
  z.looseObject({
    type: z.literal('assistant'),
    message: z.looseObject({
      model: z.string().optional(),
      usage: Usage.optional(),
      content: z.array(
        z.looseObject({ type: z.string(), name: z.string().optional(), text: z.string().optional() }),
      ),
    }),
  }),
  z.looseObject({
    type: z.literal('result'),
    is_error: z.boolean(),
    result: z.string().optional(),
    structured_result: z.unknown().optional(),
    usage: Usage.optional(),
    error: z.looseObject({ message: z.string() }).optional(),
  }),
]);

/** Qwen Code, headless, free to edit and to run commands in its working folder, within budgets. */
export function qwenAgent(options: QwenOptions): Agent {
  const { argv, settings, reportSchema, only } = options;
  const baseUrl = settings.baseUrl ?? defaultModels.qwen.baseUrl;
  const model = settings.model ?? defaultModels.qwen.model;
  return {
    name: 'Qwen Code',
    model,
    argv,
    files: {
      '.qwen/settings.json': JSON.stringify(qwenSettingsFile(only)),
      'report.schema.json': JSON.stringify(reportSchema),
    },
    arguments: (turn) => qwenArguments(turn, options),
    environment: (home) => ({
      QWEN_HOME: `${home}/.qwen`,
      // Without this the program starts itself again, and a signal to the first process leaves two running.
      QWEN_CODE_NO_RELAUNCH: 'true',
      QWEN_CODE_SUPPRESS_YOLO_WARNING: '1',
      QWEN_USAGE_STATISTICS_ENABLED: 'false',
      OPENAI_API_KEY: settings.apiKey,
      OPENAI_BASE_URL: baseUrl,
      OPENAI_MODEL: model,
      NO_COLOR: '1',
    }),
    readEvent,
    statusOf: (_exitCode, message) => statusIn(message),
    explainExit: (exitCode) => (exitCode === null ? null : (exitCodes[exitCode] ?? null)),
    probe: { url: `${baseUrl}/models`, headers: { authorization: `Bearer ${settings.apiKey}` } },
    secrets: [settings.apiKey, ...(only?.secrets ?? [])],
  };
}

function qwenArguments(turn: AgentTurn, { maxTurns, maxToolCalls, only }: QwenOptions): readonly string[] {
  // It ends by itself, with its own word for it, a little before it would be stopped.
  const seconds = Math.max(1, Math.floor((turn.wallClockMs * 0.95) / 1000));
  const session = turn.resume ? '--resume' : '--session-id';
  const options = {
    '-o': 'stream-json',
    // In the other mode tools that would ask a person are not there at all.
    '--approval-mode': only === undefined ? 'yolo' : 'default',
    '--max-session-turns': String(maxTurns),
    '--max-wall-time': `${seconds}s`,
    '--max-tool-calls': String(maxToolCalls),
    '--json-schema': `@${turn.home}/report.schema.json`,
    [session]: turn.sessionId,
  };
  return [turn.prompt, ...Object.entries(options).flat()];
}

function readEvent(event: unknown): AgentEvent {
  const parsed = Event.safeParse(event);
  if (!parsed.success) return { kind: 'other' };
  if (parsed.data.type === 'assistant') {
    const { content, model = '', usage } = parsed.data.message;
    const spent = usage && { model, input: usage.input_tokens, output: usage.output_tokens };
    const tool = content.find((part) => part.type === 'tool_use');
    if (tool?.name !== undefined) return { kind: 'tool', name: tool.name, spent };
    return { kind: 'text', text: content.map((part) => part.text ?? '').join(''), spent };
  }
  const { is_error, result, structured_result, usage, error } = parsed.data;
  return {
    kind: 'result',
    ok: !is_error,
    text: result ?? null,
    structured: structured_result ?? null,
    message: error?.message ?? '',
    usage: usage === undefined ? [] : [{ model: '', input: usage.input_tokens, output: usage.output_tokens }],
  };
}

/** Qwen Code gives the status of an API error nowhere but in its message. */
function statusIn(message: string): number | null {
  const status = /^\[API Error: ([45]\d\d)\b/.exec(message)?.[1];
  return status === undefined ? null : Number(status);
}

const exitCodes: Readonly<Record<number, string>> = {
  41: 'its authentication settings were refused',
  42: 'it found no usable prompt',
  44: 'its sandbox could not start',
  52: 'its settings file was refused',
  53: 'it used all the turns it was allowed',
  55: 'it used all the time or all the tool calls it was allowed',
};
