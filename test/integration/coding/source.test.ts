import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { git, implement, makeWorld, prepare, push, token, where, withAgent } from './coding.ts';

const edit = 'echo "rate = 2" > train.py';

test('a worktree on the branch; a repeat keeps it, another life begins again from the base', async () => {
  const { deps, source, experiment, remote } = await makeWorld();
  const first = await prepare(deps);
  expect(first).toEqual({ baseSha: await git(remote, 'rev-parse', 'main'), nextAttempt: 1 });
  expect(await git(source, 'symbolic-ref', '--short', 'HEAD')).toBe('hephaestus/try-it');
  const { headSha } = await implement(withAgent(deps, edit));

  expect(await prepare(deps)).toEqual(first);
  expect(await git(source, 'rev-parse', 'HEAD')).toBe(headSha);

  await mkdir(join(experiment, 'attempts', '3', '0'), { recursive: true });
  await writeFile(join(source, 'left.txt'), 'of the failed life');
  expect(await prepare(deps, 'second')).toEqual({ ...first, nextAttempt: 4 });
  expect(await git(source, 'rev-parse', 'HEAD')).toBe(first.baseSha);
  expect(await git(source, 'status', '--porcelain')).toBe('');
});

test('two experiments of one repository at once', async () => {
  const { deps } = await makeWorld();
  const ids = ['try-one', 'try-two', 'try-three'];
  const prepared = await Promise.all(
    ids.map((experimentId) => prepare(deps, 'first', { ...where, experimentId })),
  );
  expect(new Set(prepared.map(({ baseSha }) => baseSha)).size).toBe(1);
});

test.each([
  [
    'a repository that is not there',
    { repository: 'lab/nothing' },
    'RepositoryNotFound',
    /404.*name in the task note/,
  ],
  ['a name that leads elsewhere', { repository: '../digits' }, 'RepositoryNotFound', /expected owner\/name/],
  [
    'a base branch that is not there',
    { base: 'maim' },
    'BaseBranchNotFound',
    /no branch "maim"; it has main/,
  ],
  [
    'an experiment id that leads elsewhere',
    { experimentId: '../../x' },
    'TaskNoteInvalid',
    /no experiment id/,
  ],
])('%s', async (_name, wrong, type, message) => {
  const { deps } = await makeWorld();
  await expect(prepare(deps, 'first', { ...where, ...wrong })).rejects.toMatchObject({
    type,
    message: expect.stringMatching(message) as string,
    nonRetryable: true,
  });
});

test('a wrong token is said without being told, a server that is away is tried again', async () => {
  const { deps } = await makeWorld();
  const wrong = { ...deps, git: { ...deps.git, pushToken: 'canary-wrong' } };
  const refusal: unknown = await prepare(wrong).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ type: 'RepositoryNotFound' });
  expect(String(refusal)).not.toContain('canary-wrong');
  const away = { ...deps, git: { ...deps.git, serverUrl: 'http://127.0.0.1:9' } };
  await expect(prepare(away)).rejects.toMatchObject({ type: 'GitFailed', nonRetryable: false });
});

test('pushes once, replaces its own commits of an earlier life, and nobody else’s', async () => {
  const { deps, remote, server, source } = await makeWorld();
  await prepare(deps);
  const first = await implement(withAgent(deps, edit));
  await push(deps, first.headSha);
  const pushes = (): number =>
    server.requests.filter((line) => line.startsWith('POST') && line.includes('receive')).length;
  await push(deps, first.headSha);
  expect(pushes()).toBe(1);

  await prepare(deps, 'second');
  const second = await implement(withAgent(deps, 'echo "rate = 3" > train.py'));
  await push(deps, second.headSha);
  expect(await git(remote, 'rev-parse', 'hephaestus/try-it')).toBe(second.headSha);

  const person = ['-c', 'user.name=p', '-c', 'user.email=p@example.com'];
  const tree = await git(remote, 'rev-parse', 'main^{tree}');
  const theirs = await git(remote, ...person, 'commit-tree', tree, '-p', second.headSha, '-m', 'by hand');
  await git(remote, 'update-ref', 'refs/heads/hephaestus/try-it', theirs);
  await expect(push(deps, second.headSha)).rejects.toMatchObject({
    type: 'PushRefused',
    message: expect.stringContaining(theirs.slice(0, 12)) as string,
  });
  // The token is nowhere that a job or an agent could read.
  expect(await git(source, 'config', '--list', '--show-origin')).not.toContain(token);
});

test('a push that the server forbids is refused for good', async () => {
  const { deps, remote } = await makeWorld();
  await prepare(deps);
  const { headSha } = await implement(withAgent(deps, edit));
  await git(remote, 'config', 'http.receivepack', 'false');
  await expect(push(deps, headSha)).rejects.toMatchObject({ type: 'PushRefused', nonRetryable: true });
});
