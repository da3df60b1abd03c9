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
  const setting = 'HEPHAESTUS_LOG_LEVEL=debug';
  const { exitCode, stderr } = await hephaestus(['init', '--yes', '--zone', 'local', '--set', setting]);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  const text = await readFile(join(folder, '.env'), 'utf8');
  expect(text).toContain('# Gemini CLI');
  expect(text).toContain(setting);
});

it('loads every module of its own, so that no module is asked for that is not installed with it', async () => {
  const files = await readdir(join(installed, 'dist'), { recursive: true });
  // These begin to work when they are loaded, or are for the browser, or for the sandbox of workflows.
  const others =
    /^client\/cli\/(?:bin|index)\.js$|hash-files-worker|^infra\/tools\/install\.js$|^client\/page\/assets\/|^workflows\//;
  const modules = files.filter((path) => path.endsWith('.js') && !others.test(path));
  expect(modules.length).toBeGreaterThan(300);
  await runs(
    `for (const path of ${JSON.stringify(modules)}) await import('./node_modules/hephaestus/dist/' + path);`,
  );
});

it('goes on with an experiment of a checkout by its prebuilt workflows', async () => {
  const history = join(checkout, 'test', 'replay', 'histories', 'merged.ExperimentWorkflow.json');
  await runs(`
    import { readFile } from 'node:fs/promises';
    import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
    import { workflowCode } from './node_modules/hephaestus/dist/workers/workflow-code.js';
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    const code = await workflowCode();
    if (!code.workflowBundle.codePath.endsWith('workflow-bundle.cjs')) throw new Error(JSON.stringify(code));
    await Worker.runReplayHistory(code, JSON.parse(await readFile(${JSON.stringify(history)}, 'utf8')));
  `);
});

/** A module in the folder where the package is installed ends well and says nothing. */
async function runs(text: string): Promise<void> {
  await writeFile(join(folder, 'module.mjs'), text);
  const { exitCode, stderr } = await execa(process.execPath, ['module.mjs'], { cwd: folder, reject: false });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
}

function hephaestus(args: readonly string[]) {
  const bin = join(folder, 'node_modules', '.bin', 'hephaestus');
  return execa(process.execPath, [bin, ...args], { cwd: folder, reject: false });
}
