import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, onTestFinished, test, vi } from 'vitest';

import type { AgentRun } from '../../../infra/agents/agent-process.ts';
import { qwenAgent } from '../../../infra/agents/qwen.ts';
import { runAgent } from '../../../infra/agents/run-agent.ts';
import { processEnvironment } from '../../../infra/env.ts';
import { qwenSettings, startModels, temporaryFolder } from './models.ts';

const success = `echo '{"type":"result","is_error":false,"result":"done","usage":{"input_tokens":1,"output_tokens":2}}'`;

/** A killed process whose parent does not look stays as a zombie, which does nothing any more. */
function isAlive(pid: string): boolean {
  if (!existsSync(`/proc/${pid}`)) return false;
  return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

/** A run of a shell script that stands where Qwen Code would. */
async function scripted(script: string, overrides: Partial<AgentRun> = {}): Promise<AgentRun> {
  const settings = qwenSettings(await startModels());
  const cwd = await temporaryFolder();
  return {
    agent: qwenAgent({
      argv: ['sh', '-c', script],
      settings,
      reportSchema: {},
      maxTurns: 1,
      maxToolCalls: 1,
    }),
    prompt: 'do it',
    sessionId: 'session',
    resume: false,
    home: join(cwd, 'home'),
    cwd,
    environment: { ...processEnvironment(), GITHUB_TOKEN: 'canary-github', WANDB_API_KEY: 'canary-wandb' },
    transcriptFile: join(cwd, 'transcript.jsonl'),
    wallClockMs: 20_000,
    maxTokens: Infinity,
    ...overrides,
  };
}

test('a result that says success is success', async () => {
  await expect(runAgent(await scripted(success))).resolves.toEqual({
    text: 'done',
    structured: null,
    usage: [{ agent: 'Qwen Code', model: 'qwen3-coder-plus', input: 1, output: 2 }],
  });
});

test.each([
  ['nothing at all, exit code 0', 'true', 'AgentFailed', /ended without a result/],
  ['success, but exit code 3', `${success}; exit 3`, 'AgentFailed', /exit code 3/],
  ['the last words of the error stream', 'echo "out of luck" >&2; exit 2', 'AgentFailed', /out of luck/],
  ['a cut line', `printf '{"type":"result","is_err'`, 'AgentOutputInvalid', /is this the right program/],
  ['another program', 'echo Usage: frobnicate FILE; exit 1', 'AgentOutputInvalid', /printed 1 lines/],
  ['a budget', 'exit 55', 'AgentFailed', /all the tool calls/],
  ['text without an end', 'head -c 9000000 /dev/zero | tr "\\0" x', 'AgentFailed', /was stopped/],
])('%s', async (_name, script, type, message) => {
  await expect(runAgent(await scripted(script))).rejects.toMatchObject({
    type,
    message: expect.stringMatching(message) as string,
  });
});

test('a program that is not there', async () => {
  const run = await scripted('');
  const agent = { ...run.agent, argv: ['/nonexistent/agent'] };
  await expect(runAgent({ ...run, agent })).rejects.toMatchObject({ type: 'AgentUnavailable' });
});

test('too long', async () => {
  const started = performance.now();
  const run = await scripted('tail -f /dev/null', { wallClockMs: 300 });
  await expect(runAgent(run)).rejects.toMatchObject({
    type: 'AgentFailed',
    message: expect.stringContaining('did not end') as string,
  });
  expect(performance.now() - started).toBeLessThan(5000);
});

test('cancelling leaves no process, not even one in a session of its own that ignores the signal', async () => {
  const controller = new AbortController();
  const script = 'setsid sh -c \'trap "" TERM; echo $$ > left; tail -f /dev/null\' & tail -f /dev/null';
  const run = await scripted(script, { signal: controller.signal });
  const running = expect(runAgent(run)).rejects.toThrow('cancelled by the test');
  const pid = await vi.waitFor(async () => {
    const text = (await readFile(join(run.cwd, 'left'), 'utf8')).trim();
    expect(text).not.toBe('');
    return text;
  });
  controller.abort(new Error('cancelled by the test'));
  await running;
  expect(isAlive(pid)).toBe(false);
});

test('a process that hides its environment and holds the pipes open does not hold up the run', async () => {
  const run = await scripted(
    `env -i setsid sh -c 'echo $$ > hidden; exec tail -f /dev/null' & until [ -s hidden ]; do sleep 0.05; done; ${success}`,
  );
  await expect(runAgent(run)).resolves.toMatchObject({ text: 'done' });
  process.kill(Number(await readFile(join(run.cwd, 'hidden'), 'utf8')), 'SIGKILL');
});

test('a run first ends what an earlier one, whose worker was killed, left in the same folder', async () => {
  const run = await scripted(success);
  const left = spawn('tail', ['-f', '/dev/null'], {
    detached: true,
    stdio: 'ignore',
    env: { PATH: '/usr/bin:/bin', HEPHAESTUS_AGENT_PLACE: run.cwd },
  });
  onTestFinished(() => void left.kill('SIGKILL'));
  const ended = once(left, 'exit');
  await runAgent(run);
  expect(await ended).toEqual([null, 'SIGKILL']);
});

test('the agent sees the allowed part of the environment, and its key never reaches the transcript', async () => {
  const run = await scripted(
    `env > seen; echo "{\\"key\\":\\"$OPENAI_API_KEY\\"}"; echo "$OPENAI_API_KEY" >&2; ${success}`,
  );
  await runAgent(run);
  const seen = await readFile(join(run.cwd, 'seen'), 'utf8');
  expect(seen).not.toContain('canary-');
  expect(seen).toContain(`HOME=${run.home}`);
  const transcript = await readFile(run.transcriptFile, 'utf8');
  expect(transcript).not.toContain(run.agent.secrets[0]);
  expect(transcript.match(/\*\*\*/g)).toHaveLength(2);
});

test.each([
  ['a dead endpoint', 'http://127.0.0.1:9/v1', 'right', 'AgentUnavailable'],
  ['a wrong key', undefined, 'wrong', 'AgentRefused'],
])('%s is known before the agent starts', async (_name, baseUrl, key, type) => {
  const models = await startModels();
  const settings = qwenSettings(models);
  const run = await scripted('touch started');
  const agent = qwenAgent({
    argv: run.agent.argv,
    settings: {
      ...settings,
      baseUrl: baseUrl ?? settings.baseUrl,
      apiKey: key === 'right' ? settings.apiKey : 'wrong-key',
    },
    reportSchema: {},
    maxTurns: 1,
    maxToolCalls: 1,
  });
  await expect(runAgent({ ...run, agent })).rejects.toMatchObject({ type });
  expect(existsSync(join(run.cwd, 'started'))).toBe(false);
});

test.each([429, 503])('an endpoint that answers %s is unavailable, not failed', async (status) => {
  const models = await startModels();
  models.addFault({ kind: status });
  const run = await scripted(success);
  const agent = qwenAgent({
    argv: run.agent.argv,
    settings: qwenSettings(models),
    reportSchema: {},
    maxTurns: 1,
    maxToolCalls: 1,
  });
  await expect(runAgent({ ...run, agent })).rejects.toMatchObject({ type: 'AgentUnavailable' });
});
