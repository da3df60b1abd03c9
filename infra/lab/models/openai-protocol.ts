import { randomUUID } from 'node:crypto';

import { z } from 'zod';

import { type Conversation, findCwd, isContext, type Reply } from './conversation.ts';

const Content = z
  .union([z.string(), z.array(z.looseObject({ text: z.string().optional() })), z.null()])
  .optional();

const Body = z.looseObject({
  model: z.string(),
  stream: z.boolean().optional(),
  messages: z.array(
    z.looseObject({ role: z.string(), content: Content, tool_call_id: z.string().optional() }),
  ),
  tools: z.array(z.looseObject({ function: z.looseObject({ name: z.string() }) })).optional(),
});

/** Reads a `chat/completions` body. */
export function readOpenaiRequest(body: unknown): Conversation & { readonly stream: boolean } {
  const { model, stream, messages, tools } = Body.parse(body);
  const prompts = messages.map(({ role, content }) =>
    role === 'user' ? texts(content).filter((text) => text !== '' && !isContext(text)) : [],
  );
  const last = prompts.findLastIndex((found) => found.length > 0);
  return {
    protocol: 'openai',
    model,
    stream: stream ?? false,
    prompt: prompts[last]?.at(-1) ?? '',
    turn: prompts.slice(0, Math.max(last, 0)).filter((found) => found.length > 0).length,
    results: messages
      .slice(last + 1)
      .filter(({ role }) => role === 'tool')
      .map(({ content }) => ({ name: '', text: texts(content).join('\n') })),
    tools: (tools ?? []).map((tool) => tool.function.name),
    cwd: findCwd(messages.flatMap(({ content }) => texts(content))),
  };
}

/** A whole chat completion, for requests without `stream`. */
export function writeOpenaiReply(model: string, reply: Reply): object {
  return {
    id: `chatcmpl-${randomUUID()}`,
    object: 'chat.completion',
    created: now(),
    model,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: reply.text, tool_calls: toolCalls(reply) },
        finish_reason: finishReason(reply),
      },
    ],
    usage,
  };
}

/** The same as server-sent chunks: a tool call's arguments come after its name, the usage comes last. */
export function openaiStream(model: string, reply: Reply): string {
  const id = `chatcmpl-${randomUUID()}`;
  const head = { id, object: 'chat.completion.chunk', created: now(), model };
  const chunk = (delta: object, finish: string | null = null): object => ({
    ...head,
    choices: [{ index: 0, delta, finish_reason: finish }],
  });
  const calls = toolCalls(reply).flatMap((call, index) => [
    chunk({ tool_calls: [{ ...call, index, function: { ...call.function, arguments: '' } }] }),
    chunk({ tool_calls: [{ index, function: { arguments: call.function.arguments } }] }),
  ]);
  const chunks = [
    chunk({ role: 'assistant', content: reply.text }),
    ...calls,
    chunk({}, finishReason(reply)),
    { ...head, choices: [], usage },
  ];
  return `${chunks.map((data) => `data: ${JSON.stringify(data)}\n\n`).join('')}data: [DONE]\n\n`;
}

const usage = { prompt_tokens: 900, completion_tokens: 100, total_tokens: 1000 };

interface OpenaiCall {
  readonly id: string;
  readonly type: 'function';
  readonly function: { readonly name: string; readonly arguments: string };
}

function toolCalls(reply: Reply): OpenaiCall[] {
  return reply.calls.map(({ name, args }) => ({
    id: `call_${randomUUID()}`,
    type: 'function',
    function: { name, arguments: JSON.stringify(args) },
  }));
}

function finishReason(reply: Reply): string {
  return reply.calls.length > 0 ? 'tool_calls' : 'stop';
}

function texts(content: z.infer<typeof Content>): string[] {
  if (typeof content === 'string') return [content];
  return (content ?? []).map((part) => part.text ?? '');
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}
