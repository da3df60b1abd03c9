import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { bundledFolders, keptBundle } from '../../../workers/kept-bundle.ts';

const checkout = join(import.meta.dirname, '..', '..', '..');
let copy: string;
beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'hephaestus-bundle-'));
  for (const name of [...bundledFolders, 'package-lock.json', 'package.json']) {
    await cp(join(checkout, name), join(copy, name), { recursive: true });
  }
  await symlink(join(checkout, 'node_modules'), join(copy, 'node_modules'));
});
afterAll(() => rm(copy, { recursive: true, force: true }));

it('is made of nothing but what its name is made of', async () => {
  const code = await readFile(await keptBundle(checkout), 'utf8');
  const [, encoded = ''] = /sourceMappingURL=data:[^,]*;base64,([\w+/=]+)/.exec(code) ?? [];
  const { sources } = JSON.parse(Buffer.from(encoded, 'base64').toString()) as { sources: string[] };
  const own = sources.filter(
    (source) => source.startsWith(`${checkout}/`) && !source.includes('node_modules'),
  );
  const folders = new Set(own.map((source) => relative(checkout, source).split('/')[0]));
  expect(folders).toEqual(new Set(bundledFolders));
});

it('is made once for the same sources, and anew for others', async () => {
  const first = await keptBundle(copy);
  await writeFile(first, 'kept');
  expect(await keptBundle(copy)).toBe(first);
  expect(await readFile(first, 'utf8')).toBe('kept');
  const phases = join(copy, 'domain', 'phase.ts');
  await writeFile(phases, `${await readFile(phases, 'utf8')}\n// Changed.\n`);
  const second = await keptBundle(copy);
  expect(second).not.toBe(first);
  expect(await readFile(second, 'utf8')).toContain('ExperimentWorkflow');
  await rm(first);
  await rm(second);
});
