import { randomUUID } from 'node:crypto';

import { z } from 'zod';

import { type Conversation, findCwd, isContext, type Reply } from './conversation.ts';

const Part = z.looseObject({
  text: z.string().optional(),
  functionResponse: z.looseObject({ name: z.string().optional(), response: z.unknown() }).optional(),
});

const Body = z.looseObject({
  contents: z.array(z.looseObject({ role: z.string().optional(), parts: z.array(Part) })),
  tools: z
    .array(z.looseObject({ functionDeclarations: z.array(z.looseObject({ name: z.string() })).optional() }))
    .optional(),
});

/** Reads a `generateContent` body. */
export function readGeminiRequest(model: string, body: unknown): Conversation {
  const { contents, tools } = Body.parse(body);
  const users = contents.filter((content) => content.role !== 'model');
  const prompts = users.map(({ parts }) => parts.map((part) => part.text ?? '').filter(isPrompt));
  const last = prompts.findLastIndex((texts) => texts.length > 0);
  const results = users
    .slice(last + 1)
    .flatMap(({ parts }) => parts)
    .flatMap(({ functionResponse }) =>
      functionResponse === undefined
        ? []
        : [{ name: functionResponse.name ?? '', text: JSON.stringify(functionResponse.response) }],
    );
  return {
    protocol: 'gemini',
    model,
    prompt: prompts[last]?.at(-1) ?? '',
    turn: prompts.slice(0, Math.max(last, 0)).filter((texts) => texts.length > 0).length,
    results,
    tools: (tools ?? []).flatMap((tool) => (tool.functionDeclarations ?? []).map(({ name }) => name)),
    cwd: findCwd(users.flatMap(({ parts }) => parts.map((part) => part.text ?? ''))),
  };
}

/** A whole `GenerateContentResponse`; the stream sends it as one event. */
export function writeGeminiReply(reply: Reply): object {
  const text = reply.text === '' ? [] : [{ text: reply.text }];
  const calls = reply.calls.map(({ name, args }) => ({ functionCall: { id: randomUUID(), name, args } }));
  return {
    candidates: [{ index: 0, content: { role: 'model', parts: [...text, ...calls] }, finishReason: 'STOP' }],
    usageMetadata: { promptTokenCount: 900, candidatesTokenCount: 100, totalTokenCount: 1000 },
  };
}

export function geminiStream(reply: Reply): string {
  return `data: ${JSON.stringify(writeGeminiReply(reply))}\r\n\r\n`;
}

function isPrompt(text: string): boolean {
  return text !== '' && !isContext(text);
}
