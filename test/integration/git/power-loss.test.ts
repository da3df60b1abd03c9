import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { processEnvironment } from '../../../infra/env.ts';
import { git, type GitCall } from '../../../infra/git/run-git.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hephaestus-test-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** How often git waited for the disk itself, by its own count. */
async function flushesOf(args: readonly string[], call: GitCall): Promise<number> {
  const trace = join(directory, `${args[0] ?? ''}-${String(call.personal)}.trace`);
  await git(args, { ...call, extraEnvironment: { GIT_TRACE2_EVENT: trace } });
  const events = (await readFile(trace, 'utf8')).trim().split('\n');
  return events
    .map((line) => JSON.parse(line) as { key?: string; value?: string })
    .filter(({ key }) => key === 'fsync/hardware-flush')
    .reduce((sum, { value }) => sum + Number(value), 0);
}

it.each([false, true])(
  'has every object and every branch on the disk before a commit counts (personal: %s)',
  async (personal) => {
    const path = join(directory, String(personal));
    const call = { cwd: path, environment: { PATH: processEnvironment()['PATH'] ?? '' }, personal };
    await git(['init', '--quiet', path], { ...call, cwd: directory });
    const object = await flushesOf(['hash-object', '-w', '-t', 'tree', '/dev/null'], call);
    expect(object).toBeGreaterThan(0);
    const who = ['-c', 'user.name=a', '-c', 'user.email=a@example.org'];
    const sha = await git(
      [...who, 'commit-tree', '4b825dc642cb6eb9a060e54bf8d69288fbee4904', '-m', 'x'],
      call,
    );
    expect(await flushesOf(['update-ref', 'refs/heads/one', sha], call)).toBeGreaterThan(0);
  },
);

it('has the index of a worktree on the disk: a torn one is refused by every later look, and nothing would go on', async () => {
  const path = join(directory, 'index');
  const call = { cwd: path, environment: { PATH: processEnvironment()['PATH'] ?? '' } };
  await git(['init', '--quiet', path], { ...call, cwd: directory });
  expect(await flushesOf(['read-tree', '--empty'], call)).toBeGreaterThan(0);
});
