import { join } from 'node:path';

import { execa } from 'execa';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';

import { makeAttempt, type AttemptFixture } from './attempt-fixture.ts';

const { uv, shellcheck } = inject('tools');
let fixture: AttemptFixture;

beforeAll(async () => {
  fixture = await makeAttempt(uv, `python train.py --name "it's" {seed}`);
});
afterAll(async () => {
  await fixture.remove();
});

it.each(['sh', 'dash', 'busybox'])('start.sh passes shellcheck as %s', async (dialect) => {
  const args = ['--shell', dialect, '--norc', join(fixture.folder, 'start.sh')];
  const { all, exitCode } = await execa(shellcheck, args, { reject: false, all: true });
  expect({ all, exitCode }).toEqual({ all: '', exitCode: 0 });
});
