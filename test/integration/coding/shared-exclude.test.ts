import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { linkVenv } from '../../../activities/environment/worktree.ts';
import { processEnvironment } from '../../../infra/env.ts';
import { fetchMirror, mirrorPath } from '../../../infra/git/mirror.ts';
import { toolEnvironment } from '../../../infra/tools/tool-environment.ts';

it('leaves how git is set up alone when an environment is linked, since an agent of another experiment may be watched', async () => {
  const sharedDir = await mkdtemp(join(tmpdir(), 'hephaestus-exclude-'));
  try {
    const environment = toolEnvironment(processEnvironment());
    const settings = { serverUrl: 'http://127.0.0.1:1', pushToken: '' };
    const mirror = mirrorPath(sharedDir, 'lab/digits');
    await expect(
      fetchMirror(mirror, { sharedDir, repository: 'lab/digits', settings, environment }),
    ).rejects.toThrow();
    const before = await readFile(join(mirror, 'info', 'exclude'), 'utf8');
    await linkVenv(mirror, join(sharedDir, 'venv'), environment);
    expect(await readFile(join(mirror, 'info', 'exclude'), 'utf8')).toBe(before);
  } finally {
    await rm(sharedDir, { recursive: true, force: true });
  }
});
