import { expect, test } from 'vitest';

import { geminiAgent } from '../../../../infra/agents/gemini.ts';

const agent = geminiAgent({
  argv: ['gemini'],
  settings: { apiKey: 'secret-key', model: undefined, baseUrl: undefined },
  writableFile: '/work/a+b/QWEN_TASK.md',
  maxTurns: 7,
});

test('resumes the session that it began, and never has the key on its command line', () => {
  const turn = { prompt: 'hello', sessionId: 'id', home: '/home', wallClockMs: 1000 };
  const first = agent.arguments({ ...turn, resume: false });
  const second = agent.arguments({ ...turn, resume: true });
  expect(first).toEqual(expect.arrayContaining(['--session-id', 'id', '-p', 'hello']));
  expect(second).toEqual(expect.arrayContaining(['--resume', 'id']));
  expect(JSON.stringify([first, second, agent.files])).not.toContain('secret-key');
});

test('allows writing to the one file only', () => {
  const policy = agent.files['policy.toml'] ?? '';
  const escaped = /argsPattern = (".*")/.exec(policy)?.[1] ?? '""';
  const pattern = new RegExp(JSON.parse(escaped) as string);
  const allows = (path: string): boolean => pattern.test(JSON.stringify({ content: 'x', file_path: path }));
  expect(allows('/work/a+b/QWEN_TASK.md')).toBe(true);
  expect(allows('QWEN_TASK.md')).toBe(true);
  expect(allows('/work/aab/QWEN_TASK.md')).toBe(false);
  expect(allows('/etc/QWEN_TASK.md')).toBe(false);
  expect(allows('/work/a+b/QWEN_TASK.md.sh')).toBe(false);
});

test.each([
  [145, 401],
  [173, 429],
  [247, 503],
  [53, null],
  [null, null],
])('exit code %s means HTTP status %s', (exitCode, status) => {
  expect(agent.statusOf(exitCode, '')).toBe(status);
});

test('reads the events that count and passes over the others', () => {
  expect(agent.readEvent({ type: 'message', role: 'assistant', content: 'hi' })).toEqual({
    kind: 'text',
    text: 'hi',
  });
  expect(agent.readEvent({ type: 'message', role: 'user', content: 'hi' })).toEqual({ kind: 'other' });
  expect(agent.readEvent({ type: 'result' })).toEqual({ kind: 'other' });
  expect(agent.readEvent({ type: 'result', status: 'error', error: { message: 'no' } })).toMatchObject({
    kind: 'result',
    ok: false,
    message: 'no',
    usage: [],
  });
});
