import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { runIn } from '../run-in.ts';

let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'hephaestus-test-'));
});
afterEach(() => rm(cwd, { recursive: true, force: true }));

it('points whoever has no .env yet to init, and nobody else', async () => {
  const before = await runIn(['up', '--plain'], { cwd });
  expect(before.code).toBe(2);
  expect(before.err).toContain('GITHUB_TOKEN: found nothing');
  expect(before.err).toContain(`There is no .env in ${cwd}: hephaestus init writes one`);
  await writeFile(join(cwd, '.env'), '', { mode: 0o600 });
  const after = await runIn(['up', '--plain'], { cwd });
  expect(after.code).toBe(2);
  expect(after.err).not.toContain('init');
});
