import { expect, it } from 'vitest';

import { commitInGroups } from '../../../../infra/lab/github/commit-in-groups.ts';

it('writes once for all who asked before a write began, and again for who asked since', async () => {
  let value = 0;
  const written: number[] = [];
  const release: (() => void)[] = [];
  const group = commitInGroups(async () => {
    const seen = value;
    await new Promise<void>((resolve) => release.push(resolve));
    written.push(seen);
  });
  const change = (): Promise<number | undefined> => {
    value += 1;
    group.ask();
    return group.settled().then(() => written.at(-1));
  };
  const first = [change(), change(), change()];
  await expect.poll(() => release.length).toBe(1);
  const late = change();
  release.shift()?.();
  expect(await Promise.all(first)).toEqual([3, 3, 3]);
  await expect.poll(() => release.length).toBe(1);
  release.shift()?.();
  expect(await late).toBe(4);
  expect(written).toEqual([3, 4]);
  await group.settled();
  expect(written).toHaveLength(2);
});

it('tells everybody who waits of a write that failed, and writes for the next', async () => {
  let fails = true;
  let writes = 0;
  const group = commitInGroups(async () => {
    writes += 1;
    if (fails) throw new Error('no space left');
  });
  group.ask();
  const waiting = await Promise.allSettled([group.settled(), group.settled()]);
  expect(waiting.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(writes).toBe(1);
  fails = false;
  await group.settled();
  expect(writes).toBe(2);
});
