import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { execa } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';

import manifest from '../../../package.json' with { type: 'json' };

const checkout = join(import.meta.dirname, '..', '..', '..');
let folder: string;
let installed: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hephaestus-package-'));
  installed = join(folder, 'node_modules', 'hephaestus');
  const packed = await execa('npm', ['pack', '--json', '--pack-destination', folder], { cwd: checkout });
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error(`npm pack left no archive: ${packed.stderr}`);
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
  const install = [
    'install',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    `./${tarball}`,
  ];
  await execa('npm', install, { cwd: folder });
}, 600_000);

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

it('says its version and helps, outside of a checkout', async () => {
  expect((await hephaestus(['--version'])).stdout).toBe(manifest.version);
  const { stdout, exitCode } = await hephaestus(['--help']);
  expect(exitCode).toBe(0);
  expect(stdout).toContain('start');
});

it('says what is wrong with a command that does not exist', async () => {
  const { exitCode, stderr } = await hephaestus(['strat']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('start');
});

it('holds what the program reads beside its code, and nothing that is for tests', async () => {
  const files = (await readdir(installed, { recursive: true })).filter(
    (path) => !path.startsWith('node_modules'),
  );
  for (const file of [
    'dist/.env.example',
    'dist/workflow-bundle.cjs',
    'dist/infra/templates/comment.md.njk',
    'dist/infra/tools/requirements.txt',
    'dist/infra/tools/agents/package-lock.json',
    'dist/infra/supervisor/guard.py',
    'docs/failures.md',
    'README.md',
    'LICENSE',
  ]) {
    expect(files).toContain(file);
  }
  expect(files.filter((path) => /^dist\/(?:infra\/lab|test)\b/.test(path))).toEqual([]);
  expect(files.filter((path) => path.endsWith('.ts'))).toEqual([]);
});

it('writes a commented .env', async () => {
  const { exitCode, stderr } = await hephaestus([
    'init',
    '--yes',
    '--zone',
    'local',
    '--set',
    'GEMINI_API_KEY=k',
  ]);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  expect(await readFile(join(folder, '.env'), 'utf8')).toContain('# Gemini CLI');
});

it('loads every module of its own', async () => {
  const files = await readdir(join(installed, 'dist'), { recursive: true });
  // These two are programs: they begin to work when they are loaded.
  const programs = /^client\/cli\/(?:bin|index)\.js$|hash-files-worker|^infra\/tools\/install\.js$/;
  const modules = files.filter(
    (path) => path.endsWith('.js') && !programs.test(path) && !path.startsWith('workflows/'),
  );
  expect(modules.length).toBeGreaterThan(300);
  const script = `for (const path of ${JSON.stringify(modules)}) await import('./node_modules/hephaestus/dist/' + path);`;
  await writeFile(join(folder, 'load.mjs'), script);
  const { exitCode, stderr } = await execa(process.execPath, ['load.mjs'], { cwd: folder, reject: false });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
});

function hephaestus(args: readonly string[]) {
  const bin = join(folder, 'node_modules', '.bin', 'hephaestus');
  return execa(process.execPath, [bin, ...args], { cwd: folder, reject: false });
}
