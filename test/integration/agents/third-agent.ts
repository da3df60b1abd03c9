import { z } from 'zod';

import type { Agent } from '../../../infra/agents/agent.ts';

const Event = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('say'), text: z.string(), in: z.number(), out: z.number() }),
  z.looseObject({ type: z.literal('do'), tool: z.string() }),
  z.looseObject({ type: z.literal('end'), ok: z.boolean(), why: z.string().optional() }),
]);

/** One more agent: everything that differs from the others stands here. */
export function thirdAgent(script: string, endpoint: string): Agent {
  return {
    name: 'Third Agent',
    model: 'third-1',
    argv: ['sh', '-c', script, 'third-agent'],
    files: { '.third/config.json': '{"telemetry":false}' },
    arguments: ({ prompt, sessionId, resume }) => [resume ? '--continue' : '--session', sessionId, prompt],
    environment: (home) => ({ THIRD_HOME: `${home}/.third`, THIRD_KEY: 'canary-third-key' }),
    readEvent(event) {
      const parsed = Event.safeParse(event);
      if (!parsed.success) return { kind: 'other' };
      const data = parsed.data;
      switch (data.type) {
        case 'say':
          return { kind: 'text', text: data.text, spent: { model: '', input: data.in, output: data.out } };
        case 'do':
          return { kind: 'tool', name: data.tool };
        case 'end':
          return {
            kind: 'result',
            ok: data.ok,
            text: null,
            structured: null,
            message: data.why ?? '',
            usage: [],
          };
      }
    },
    statusOf: () => null,
    explainExit: (exitCode) => (exitCode === 9 ? 'it was out of ideas' : null),
    probe: { url: endpoint, headers: {} },
    secrets: ['canary-third-key'],
  };
}
