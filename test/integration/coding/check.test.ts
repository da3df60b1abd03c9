import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, inject, test } from 'vitest';

import { taskNotePath } from '../../../domain/ids.ts';
import { exampleNote } from '../../support/example-note.ts';
import { qwenSettings, startModels } from '../agents/models.ts';
import { git, implement, implementInput, makeWorld, prepare, withAgent } from './coding.ts';

const note = exampleNote({ id: 'try-it' });

function checked(check: string): ReturnType<typeof implementInput> {
  return implementInput({ note: { ...note, change: { ...note.change, check } } });
}

test('a check that fails goes back with its words, and what came of each try is on record', async () => {
  const world = await makeWorld();
  const models = await startModels({
    implement: ({ prompt }) => {
      const again = prompt.includes('exit code 1');
      const [oldText, newText] = again ? ['rate = 2', 'rate = 3'] : ['rate = 1', 'rate = 2'];
      return { edits: [{ path: 'train.py', oldText, newText }], summary: `Now ${newText}.` };
    },
  });
  const deps = { ...world.deps, tools: inject('tools'), qwen: qwenSettings(models) };
  await prepare(deps);
  const done = await implement(
    deps,
    checked('grep -q "rate = 3" train.py || { echo the rate must be 3; exit 1; }'),
  );
  expect(done.tries?.map(({ outcome }) => outcome)).toEqual(['check-failed', 'accepted']);
  expect(done.tries?.[0]?.detail).toContain('the rate must be 3');
  expect(done).toMatchObject({
    summary: 'Now rate = 3.',
    size: expect.stringContaining('2 files changed') as string,
  });
  expect(done.diff).toContain('+rate = 3');
  expect(done.usage).toEqual([expect.objectContaining({ agent: 'Qwen Code', model: 'qwen3-coder-plus' })]);
  const record = JSON.parse(
    await readFile(join(world.experiment, 'agent', 'round-0.json'), 'utf8'),
  ) as object;
  expect(record).toMatchObject({ sha: done.headSha, tries: done.tries });
  // A repeat of the round knows all of it without asking again.
  expect(await implement(deps, checked('false'))).toEqual(done);
});

test('a check that never passes ends the round, and nothing of it is committed', async () => {
  const { deps, source } = await makeWorld();
  const { baseSha } = await prepare(deps);
  const failing = implement(
    withAgent(deps, 'echo "rate = 2" > train.py'),
    checked('echo still wrong; exit 3'),
  );
  await expect(failing).rejects.toMatchObject({
    type: 'ChangeCheckFailed',
    nonRetryable: true,
    message: expect.stringMatching(/after 3 tries.*exit code 3.*still wrong/s) as string,
  });
  expect(await git(source, 'rev-parse', 'refs/heads/hephaestus/try-it')).toBe(baseSha);
});

test('a check is as bare as the agent, leaves no process, and what it writes is not committed', async () => {
  const { deps } = await makeWorld();
  await prepare(deps);
  const check = `env | grep -c canary; [ -z "$OPENAI_API_KEY$GITHUB_TOKEN" ] || exit 7; echo x > junk; setsid tail -f /dev/null & exit 0`;
  const done = await implement(withAgent(deps, 'echo "rate = 2" > train.py'), checked(check));
  expect(done.changedPaths).toEqual([taskNotePath('try-it'), 'train.py']);
});
