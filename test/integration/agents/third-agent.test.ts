import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { type AgentSessionOptions, withAgentSession } from '../../../infra/agents/agent-session.ts';
import { canConfine } from '../../../infra/agents/confine.ts';
import { processEnvironment } from '../../../infra/env.ts';
import { startModels, temporaryFolder } from './models.ts';
import { thirdAgent } from './third-agent.ts';

async function options(overrides: Partial<AgentSessionOptions> = {}): Promise<AgentSessionOptions> {
  const folder = await temporaryFolder();
  return {
    cwd: await temporaryFolder(),
    scratchDir: join(folder, 'scratch'),
    transcriptFile: join(folder, 'transcript.jsonl'),
    environment: processEnvironment(),
    wallClockMs: 30_000,
    maxTokens: Infinity,
    ...overrides,
  };
}

const answers = `
cat "$THIRD_HOME/config.json" >&2
echo '{"type":"do","tool":"think"}'
echo "{\\"type\\":\\"say\\",\\"text\\":\\"$1 $3 $THIRD_KEY\\",\\"in\\":10,\\"out\\":5}"
echo '{"type":"end","ok":true}'`;

test('a third agent is one description: sessions, limits, masks and accounts are the same for all', async () => {
  const { url } = await startModels();
  const given = await options();
  const said = await withAgentSession(thirdAgent(answers, url), given, async (say) => [
    await say('first'),
    await say('second'),
  ]);
  expect(said.map(({ text }) => text)).toEqual(['--session first ***', '--continue second ***']);
  expect(said[0]?.usage).toEqual([{ agent: 'Third Agent', model: 'third-1', input: 10, output: 5 }]);
  const transcript = await readFile(given.transcriptFile, 'utf8');
  expect(transcript).toContain('telemetry');
  expect(transcript).not.toContain('canary-third-key');
});

test('its failures have the same names', async () => {
  const { url } = await startModels();
  const run = async (script: string, more: Partial<AgentSessionOptions> = {}): Promise<unknown> => {
    const given = await options(more);
    return withAgentSession(thirdAgent(script, url), given, (say) => say('x')).catch(
      (error: unknown) => error,
    );
  };
  expect(await run('exit 9')).toMatchObject({
    type: 'AgentFailed',
    message: expect.stringContaining('out of ideas') as string,
  });
  expect(await run('echo usage: third; exit 0')).toMatchObject({ type: 'AgentOutputInvalid' });
  const endless = `while :; do echo '{"type":"say","text":"x","in":100,"out":1}'; done`;
  expect(await run(endless, { maxTokens: 5000 })).toMatchObject({
    type: 'AgentBudgetSpent',
    message: expect.stringContaining('HEPHAESTUS_AGENT_MAX_TOKENS') as string,
  });
});

test('the tokens of a session count together', async () => {
  const { url } = await startModels();
  const given = await options({ maxTokens: 20 });
  const talk = withAgentSession(thirdAgent(answers, url), given, async (say) => {
    await say('one');
    await say('two');
    return say('three');
  });
  await expect(talk).rejects.toMatchObject({ type: 'AgentBudgetSpent' });
});

test('an agent writes to its folders and nowhere else', async (context) => {
  if (!(await canConfine())) return context.skip('this machine has no namespaces to confine a process');
  const { url } = await startModels();
  const outside = await temporaryFolder();
  const script = `echo in > here; echo home > "$HOME/there"; echo out > ${outside}/planted; rm -rf ${outside}\n${answers}`;
  const given = await options();
  await withAgentSession(thirdAgent(script, url), given, (say) => say('x'));
  expect(await readFile(join(given.cwd, 'here'), 'utf8')).toBe('in\n');
  await expect(readFile(join(outside, 'planted'))).rejects.toThrow('ENOENT');
  expect(await readFile(given.transcriptFile, 'utf8')).toContain('Read-only');
});
