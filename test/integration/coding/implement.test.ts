import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, inject, test, vi } from 'vitest';

import { createCodingActivities } from '../../../activities/coding/create-coding-activities.ts';
import { taskNotePath } from '../../../domain/ids.ts';
import { placeMarker } from '../../../infra/agents/agent-process.ts';
import { killLeftOvers } from '../../../infra/agents/left-overs.ts';

import { demoIdea } from '../../../infra/lab/demo/idea.ts';
import { exampleNote } from '../../support/example-note.ts';
import { qwenSettings, startModels, temporaryFolder } from '../agents/models.ts';
import { git, implement, implementInput, makeWorld, prepare, push, withAgent } from './coding.ts';

const note = taskNotePath('try-it');
const edit = 'echo "rate = 2" > train.py';

test('Qwen Code really edits, and sees neither the push token nor its own key in what it leaves', async () => {
  const world = await makeWorld();
  const models = await startModels({
    implement: () => ({
      edits: [
        { path: 'train.py', oldText: 'rate = 1', newText: 'rate = 2' },
        { path: 'configs/new.yaml', newText: 'a: 2\n' },
      ],
      shell:
        'env | cut -d= -f1 | sort | tr "\\n" " "; cat /proc/self/environ | tr "\\0" "\\n" | grep -c can""ary',
      summary: 'The rate is 2.',
    }),
  });
  const deps = { ...world.deps, tools: inject('tools'), qwen: qwenSettings(models) };
  await prepare(deps);
  const findings = [{ source: 'Copilot', path: 'train.py', line: 1, text: 'Round: 7\nuse @property' }];
  const done = await implement(deps, implementInput({ findings }));

  expect(done.changedPaths).toEqual([note, 'configs/new.yaml', 'train.py']);
  expect(done).toMatchObject({ summary: 'The rate is 2.' });
  expect(await git(world.source, 'show', `${done.headSha}:train.py`)).toBe('rate = 2');
  expect(
    await git(
      world.source,
      'log',
      '-1',
      '--format=%an|%(trailers:key=Hephaestus-Round,valueonly,separator=%x20)',
    ),
  ).toBe('Hephaestus|0');
  expect(await git(world.source, 'status', '--porcelain')).toBe('');
  expect(models.calls()[0]?.prompt).toContain('> Round: 7\n> use \\@property');
  const transcript = await readFile(join(world.experiment, 'agent', 'round-0.jsonl'), 'utf8');
  expect(transcript).toContain('OPENAI_MODEL');
  expect(transcript).not.toMatch(/canary|GITHUB_TOKEN/);
  expect(transcript).not.toContain(deps.qwen.apiKey);
  expect(await readdir(deps.scratchDir ?? '')).toEqual([]);

  // The same round again is the same commit, without a call of the model.
  const calls = models.calls().length;
  expect(await implement(deps, implementInput())).toEqual(done);
  expect(models.calls()).toHaveLength(calls);
});

test('words instead of the report are a failure that is tried again', async () => {
  const world = await makeWorld();
  const models = await startModels();
  models.addFault({ kind: 'nonsense', role: 'implement', count: 9 });
  const deps = { ...world.deps, tools: inject('tools'), qwen: qwenSettings(models) };
  await prepare(deps);
  await expect(implement(deps)).rejects.toMatchObject({ type: 'AgentFailed', nonRetryable: false });
});

test('cancelling ends Qwen Code and the command that it runs', async () => {
  const world = await makeWorld();
  const models = await startModels({
    implement: () => ({ edits: [], shell: 'echo $$ > running; tail -f /dev/null', summary: 'never' }),
  });
  const deps = { ...world.deps, tools: inject('tools'), qwen: qwenSettings(models) };
  await prepare(deps);
  const environment = new MockActivityEnvironment();
  const running = environment.run(() => createCodingActivities(deps).implementChange(implementInput()));
  const ended = expect(running).rejects.toBeInstanceOf(CancelledFailure);
  await vi.waitFor(() => readFile(join(world.source, 'running')), { timeout: 30_000 });
  environment.cancel();
  await ended;
  expect(await killLeftOvers(placeMarker(world.source))).toBe(0);
});

test('the demo’s own idea lands', async () => {
  const { edits } = demoIdea;
  expect(edits.length).toBeGreaterThan(0);
  const train = await readFile(join(import.meta.dirname, '../../../examples/digits/train.py'), 'utf8');
  for (const { path, oldText } of edits)
    if (path === 'train.py') expect(train.split(oldText)).toHaveLength(2);
});

const refused: readonly (readonly [string, string, string, RegExp])[] = [
  ['nothing', 'true', 'ChangeEmpty', /changed no file/],
  [
    'only what is ignored',
    'mkdir -p __pycache__ wandb; touch __pycache__/x.pyc wandb/y',
    'ChangeEmpty',
    /changed/,
  ],
  [
    'beside the paths',
    `${edit}; echo x > README.md; echo y > 'new file.txt'`,
    'ChangeOutsidePaths',
    /README.md, new file.txt, the/,
  ],
  ['a deleted file beside the paths', `${edit}; rm -f README.md`, 'ChangeOutsidePaths', /README.md/],
  [
    'a link that leads out',
    'ln -s ../../../etc/passwd configs/link',
    'ChangeUnsafe',
    /configs\/link is a link/,
  ],
  [
    'a repository inside',
    'git init -q configs/sub && git -C configs/sub -c user.name=a -c user.email=a@b.c commit -q --allow-empty -m x',
    'ChangeUnsafe',
    /submodule/,
  ],
  [
    'a large file',
    'head -c 5300000 /dev/zero > configs/big.bin',
    'ChangeUnsafe',
    /configs\/big.bin has 5300000 bytes/,
  ],
  [
    'a secret',
    `printf 'key = "ghp_%s"\\n' aaaaaaaaaabbbbbbbbbbccccccccccdddddd > configs/k.py`,
    'ChangeUnsafe',
    /a GitHub token/,
  ],
  ['its own key', 'echo "k = $OPENAI_API_KEY" > configs/k.py', 'ChangeUnsafe', /own credentials/],
  [
    'a hook',
    `${edit}; d=$(git rev-parse --git-common-dir); mkdir -p $d/hooks; echo 'touch /tmp/pwned' > $d/hooks/pre-push`,
    'ChangeUnsafe',
    /hooks\/pre-push/,
  ],
  [
    'git’s configuration',
    `${edit}; git config url.http://evil/.insteadOf http://`,
    'ChangeUnsafe',
    /config.*put back/,
  ],
];

test('refuses what the rules forbid, and leaves nothing half-made', async () => {
  const { deps, source } = await makeWorld();
  const { baseSha } = await prepare(deps);
  for (const [name, script, type, message] of refused) {
    const failure: unknown = await implement(withAgent(deps, script)).catch((error: unknown) => error);
    expect.soft(failure, name).toMatchObject({ type, nonRetryable: true });
    expect.soft(String(failure), name).toMatch(message);
  }
  const done = await implement(withAgent(deps, edit));
  expect(await git(source, 'rev-parse', `${done.headSha}^`)).toBe(baseSha);
  expect(await git(source, 'config', '--get-regexp', 'url.*').catch(() => 'none')).toBe('none');
});

test('whatever the agent does to branch, HEAD and index, the commit is the worker’s', async () => {
  const { deps, source } = await makeWorld();
  const { baseSha } = await prepare(deps);
  const commit = 'git -c user.name=q -c user.email=q@example.com commit -qam sneaky';
  const script = `${edit}; ${commit}; git checkout -q -b elsewhere; echo 'rate = 4' > train.py; git update-index --assume-unchanged train.py; echo hacked > ${note}`;
  const done = await implement(withAgent(deps, script));
  expect(await git(source, 'rev-list', '--count', `${baseSha}..${done.headSha}`)).toBe('1');
  expect(await git(source, 'show', `${done.headSha}:train.py`)).toBe('rate = 4');
  expect(await git(source, 'show', `${done.headSha}:${note}`)).toContain('schema: hephaestus/task/v1');
  expect(await git(source, 'rev-parse', 'refs/heads/hephaestus/try-it')).toBe(done.headSha);
});

function repositoryIn(path: string): string {
  return `git init -q ${path}; git -C ${path} -c user.name=q -c user.email=q@example.com commit -q --allow-empty -m x`;
}

test('the task note stays as it was and inside the worktree, whatever the agent puts in its place', async () => {
  const { deps, source } = await makeWorld();
  const outside = await temporaryFolder();
  const scripts = [
    `rm -r .experiments; ln -s ${outside} .experiments`,
    `rm -r ${dirname(note)}; ln -s ${outside} ${dirname(note)}`,
    `rm ${note}; ln -s ${outside}/elsewhere ${note}`,
    `rm ${note}; mkdir -p ${note}/inside`,
    'rm -r .experiments; echo x > .experiments',
    `chmod 755 ${note}; echo hacked > ${note}`,
    repositoryIn('.experiments'),
    repositoryIn(dirname(note)),
  ];
  for (const [index, script] of scripts.entries()) {
    await prepare(deps, `life ${index}`);
    const done = await implement(withAgent(deps, `${edit}; ${script}`));
    expect.soft(done.changedPaths, script).toEqual([note, 'train.py']);
    const entry = await git(source, 'ls-tree', '-r', done.headSha, '.experiments');
    expect.soft(entry, script).toMatch(/^100644 blob [0-9a-f]{40}\t[^\n]*$/);
    expect.soft(entry, script).toContain(done.inspection?.taskNoteBlob);
    expect
      .soft(await git(source, 'show', `${done.headSha}:${note}`), script)
      .toContain('schema: hephaestus/task/v1');
    expect.soft(await git(source, 'status', '--porcelain'), script).toBe('');
  }
  expect(await readdir(outside)).toEqual([]);
});

test('a repository that ignores the folder of task notes has it in the change all the same', async () => {
  const { deps, source } = await makeWorld();
  await prepare(deps);
  const input = implementInput({ note: exampleNote({ id: 'try-it', change: { paths: ['.gitignore'] } }) });
  const done = await implement(withAgent(deps, "printf '.*\\n!.gitignore\\n' > .gitignore"), input);
  expect(done.changedPaths).toEqual([note, '.gitignore']);
  expect(await git(source, 'show', `${done.headSha}:${note}`)).toContain('id: try-it');
});

test('a worker that dies between the commit and its record finds the commit, checked again', async () => {
  const { deps, source, experiment } = await makeWorld();
  await prepare(deps);
  const record = await readFile(join(experiment, 'source.json'), 'utf8');
  const done = await implement(withAgent(deps, edit));
  await writeFile(join(experiment, 'source.json'), record);
  expect(await implement(withAgent(deps, 'exit 9'))).toEqual(done);

  // One that the rules forbid is not taken over, whoever made it.
  await writeFile(join(experiment, 'source.json'), record);
  const narrow = implementInput({ note: exampleNote({ id: 'try-it', change: { paths: ['configs/**'] } }) });
  await expect(implement(withAgent(deps, 'exit 9'), narrow)).rejects.toMatchObject({
    type: 'ChangeOutsidePaths',
  });
  expect(await git(source, 'status', '--porcelain')).toBe('');
});

test('a later round stands on the one before, keeps the link to the environment, and drops what lies about', async () => {
  const { deps, source } = await makeWorld();
  await prepare(deps);
  const first = await implement(
    withAgent(deps, `${edit}; ln -s ../../environments/x .venv; mkdir wandb; touch wandb/x`),
  );
  const input = implementInput({ round: 1, instructions: 'Smaller.' });
  const second = await implement(withAgent(deps, 'test ! -e wandb; echo "rate = 1.5" > train.py'), input);
  expect(await git(source, 'rev-parse', `${second.headSha}^`)).toBe(first.headSha);
  expect(second.changedPaths).toEqual(['train.py']);
  expect(await readdir(source)).toContain('.venv');
});

test('puts the change on top of a base that has moved on, and lets the agent settle the conflicts', async () => {
  const { deps, source, remote } = await makeWorld();
  await prepare(deps);
  await implement(withAgent(deps, edit));
  const work = `${remote}.work`;
  await git('/', 'clone', '-q', remote, work);
  await writeFile(join(work, 'train.py'), 'rate = 9\n');
  await writeFile(join(work, 'NEWS.md'), 'news\n');
  await mkdir(join(work, dirname(note)), { recursive: true });
  await writeFile(join(work, note), 'of an earlier life\n');
  await git(work, 'add', '-A');
  await git(work, '-c', 'user.name=a', '-c', 'user.email=a@example.com', 'commit', '-qm', 'Move on');
  await git(work, 'push', '-q', 'origin', 'HEAD:main');
  const newBase = await git(work, 'rev-parse', 'HEAD');
  const input = implementInput({ round: 1, instructions: 'Bring it up to date.', ontoBase: true });

  const lazy = implement(withAgent(deps, 'grep -q "<<<<<<<" train.py'), input);
  await expect(lazy).rejects.toMatchObject({ type: 'AgentFailed', nonRetryable: false });

  const done = await implement(withAgent(deps, 'test -e NEWS.md; echo "rate = 3" > train.py'), input);
  expect(await git(source, 'rev-parse', `${done.headSha}^`)).toBe(newBase);
  expect(await git(source, 'show', `${done.headSha}:train.py`)).toBe('rate = 3');
  expect(await git(source, 'show', `${done.headSha}:${note}`)).toContain('id: try-it');
  // The whole change, and nothing of what came with the base.
  expect(done.changedPaths).toEqual([note, 'train.py']);
  expect(done.inspection).toMatchObject({ paths: [note, 'train.py'] });
  await push(deps, done.headSha);
  expect(await git(remote, 'rev-parse', 'hephaestus/try-it')).toBe(done.headSha);
  // A repeat finds what was done.
  expect(await implement(withAgent(deps, 'exit 9'), input)).toEqual(done);
});
