import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';
import { parse } from 'yaml';

import { parseTaskNote } from '../../../domain/task-note-text.ts';
import { runIn } from '../../unit/client/run-in.ts';
import { type GithubLab, repository, startLab } from './github-lab.ts';

const branch = 'hephaestus-adopt';
let lab: GithubLab;

beforeEach(async () => {
  lab = await startLab();
});
afterEach(() => lab.close());

function adopt(env: Readonly<Record<string, string>> = {}, name = repository) {
  return runIn(['adopt', name, '--json'], { env: { ...lab.github.settings, ...env } });
}

/** Text of a file of the proposal. */
async function proposed(path: string, of = repository): Promise<string> {
  const { data } = await lab.ask('pi', 'GET', `/repos/${of}/contents/${path}?ref=${branch}`);
  return Buffer.from((data as { content: string }).content, 'base64').toString();
}

async function pulls(): Promise<{ number: number; state: string }[]> {
  const { data } = await lab.ask('pi', 'GET', `/repos/${repository}/pulls?state=all&head=lab:${branch}`);
  return data;
}

it('proposes once, also after a lost answer, and changes nothing afterwards', async () => {
  lab.github.faults.add({ route: 'POST */pulls', kind: 'commit-then-drop' });
  expect(await adopt()).toMatchObject({ code: 5 });
  const again = await adopt();
  expect(again.code).toBe(0);
  expect(JSON.parse(again.out)).toMatchObject({ status: 'open', repository, checks: ['ruff'] });
  expect(await pulls()).toHaveLength(1);

  const workflow = parse(await proposed('.github/workflows/hephaestus.yml')) as {
    jobs: Record<string, { steps: { uses?: string }[] }>;
    permissions: object;
  };
  expect(Object.keys(workflow.jobs)).toEqual(['ruff']);
  expect(workflow.permissions).toEqual({ contents: 'read' });
  const uses = Object.values(workflow.jobs).flatMap(({ steps }) =>
    steps.flatMap(({ uses: used }) => used ?? []),
  );
  for (const used of uses) expect(used).toMatch(/@[0-9a-f]{40}$/);
  const note = parseTaskNote(await proposed('QWEN_TASK.example.md'));
  expect(note).toMatchObject({ status: 'valid', note: { repository, change: { paths: ['train.py'] } } });
  expect(await proposed('.github/copilot-instructions.md')).toMatch(/^# What to look for/);

  const [pull] = await pulls();
  const { data } = await lab.ask('pi', 'GET', `/repos/${repository}/git/ref/heads/${branch}`);
  const { sha } = (data as { object: { sha: string } }).object;
  await lab.ask('pi', 'PUT', `/repos/${repository}/pulls/${pull?.number}/merge`, {
    sha,
    merge_method: 'squash',
  });
  const adopted = await adopt();
  expect(JSON.parse(adopted.out)).toMatchObject({
    status: 'adopted',
    files: [],
    pullRequest: { number: pull?.number },
  });
  expect(await pulls()).toHaveLength(1);
});

it('fits the files to the repository and keeps what it has', async () => {
  const from = join(lab.folder, 'other');
  await mkdir(join(from, '.github'), { recursive: true });
  await mkdir(join(from, 'src'));
  await mkdir(join(from, 'tests'));
  await writeFile(join(from, '.github', 'copilot-instructions.md'), 'Be brief.\n');
  await writeFile(
    join(from, 'pyproject.toml'),
    '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.12"\n',
  );
  await writeFile(join(from, 'uv.lock'), 'version = 1\n');
  await writeFile(join(from, 'src', 'train_model.py'), 'pass\n');
  await writeFile(join(from, 'tests', 'test_model.py'), 'def test(): pass\n');
  await lab.github.seedRepository({ owner: 'lab', name: 'other', from, message: 'Begin' });
  const { out } = await adopt({}, 'lab/other');
  const instructions = '.github/instructions/hephaestus.instructions.md';
  expect(JSON.parse(out)).toMatchObject({
    status: 'opened',
    files: [instructions, '.github/workflows/hephaestus.yml', 'QWEN_TASK.example.md'],
    checks: ['ruff', 'lock', 'tests'],
  });
  expect(await proposed('.github/copilot-instructions.md', 'lab/other')).toBe('Be brief.\n');
  expect(await proposed(instructions, 'lab/other')).toMatch(/^---\napplyTo: "\*\*"\n---\n/);
  const workflow = await proposed('.github/workflows/hephaestus.yml', 'lab/other');
  expect(Object.keys((parse(workflow) as { jobs: object }).jobs)).toEqual(['ruff', 'lock', 'tests']);
  expect(workflow).toContain('--python 3.12 ');
  expect(parseTaskNote(await proposed('QWEN_TASK.example.md', 'lab/other'))).toMatchObject({
    note: { change: { paths: ['src/train_model.py'] }, environment: { python: '3.12', lock: 'uv.lock' } },
  });
});

it('says why it does not, and leaves no branch behind', async () => {
  const settings = `/_lab/repositories/${repository}`;
  expect(await adopt({}, 'lab/none')).toMatchObject({
    code: 3,
    err: expect.stringContaining('lab/none does not exist'),
  });
  expect(await adopt({}, 'no repository')).toMatchObject({ code: 2 });
  expect(await adopt({ GITHUB_TOKEN: 'wrong' })).toMatchObject({
    code: 4,
    err: expect.stringContaining('GITHUB_TOKEN'),
  });
  expect(await adopt({ GITHUB_TOKEN: lab.github.tokens['reader'] ?? '' })).toMatchObject({
    code: 4,
    err: expect.stringContaining(`reader may not write to ${repository}`),
  });
  const small = await lab.admin('POST', '/_lab/tokens', { login: 'hephaestus', scopes: ['repo'] });
  expect(await adopt({ GITHUB_TOKEN: small.token })).toMatchObject({
    code: 4,
    err: expect.stringContaining('needs the scope workflow'),
  });
  await lab.admin('PUT', settings, { archived: true });
  expect(await adopt()).toMatchObject({ code: 4, err: expect.stringContaining('archived') });
  expect((await lab.ask('pi', 'GET', `/repos/${repository}/git/ref/heads/${branch}`)).status).toBe(404);
  await lab.admin('PUT', settings, { archived: false });

  expect((await adopt()).code).toBe(0);
  const [pull] = await pulls();
  await lab.ask('pi', 'PATCH', `/repos/${repository}/pulls/${pull?.number}`, { state: 'closed' });
  expect(await adopt()).toMatchObject({ code: 4, err: expect.stringContaining('closed without a merge') });
});

it('works as a GitHub App, and by the name that the repository had before', async () => {
  await lab.admin('POST', `/_lab/repositories/${repository}/rename`, { name: 'numbers' });
  const { code, out } = await adopt({ ...lab.github.appSettings, GITHUB_TOKEN: '' });
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ status: 'opened', repository: 'lab/numbers' });
});
