import { expect, test } from 'vitest';

import { qwenAgent } from '../../../../infra/agents/qwen.ts';

const agent = qwenAgent({
  argv: ['qwen'],
  settings: { apiKey: 'secret-key', model: 'm', baseUrl: 'http://h/v1' },
  reportSchema: { type: 'object' },
  maxTurns: 10,
  maxToolCalls: 20,
});

test('has its budgets on the command line, a little inside the wall clock, and never the key', () => {
  const turn = { prompt: 'p', sessionId: 'id', resume: false, home: '/home', wallClockMs: 100_000 };
  const args = agent.arguments(turn);
  expect(args[0]).toBe('p');
  expect(args).toEqual(expect.arrayContaining(['--max-wall-time', '95s', '--max-tool-calls', '20']));
  expect(JSON.stringify([args, agent.files])).not.toContain('secret-key');
});

test.each([
  ['[API Error: 429 busy]', 429],
  ['[API Error: 401 no]', 401],
  ['[API Error: Connection error. (cause: connect ECONNREFUSED)]', null],
  ['the file mentions API Error: 500', null],
])('finds the status in %s', (message, status) => {
  expect(agent.statusOf(1, message)).toBe(status);
});

test('reads the report and what each answer took', () => {
  const result = {
    type: 'result',
    is_error: false,
    result: 'done',
    structured_result: { summary: 's' },
    usage: { input_tokens: 3, output_tokens: 4 },
  };
  expect(agent.readEvent(result)).toEqual({
    kind: 'result',
    ok: true,
    text: 'done',
    structured: { summary: 's' },
    message: '',
    usage: [{ model: '', input: 3, output: 4 }],
  });
  const content = [
    { type: 'text', text: 'now' },
    { type: 'tool_use', name: 'edit' },
  ];
  const usage = { input_tokens: 3, output_tokens: 4 };
  expect(agent.readEvent({ type: 'assistant', message: { model: 'm', usage, content } })).toEqual({
    kind: 'tool',
    name: 'edit',
    spent: { model: 'm', input: 3, output: 4 },
  });
});
