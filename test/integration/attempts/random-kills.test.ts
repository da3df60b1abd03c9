import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';

import { makeAttempt, type AttemptFixture } from './attempt-fixture.ts';
import { installedShells } from './installed-shells.ts';

const { uv } = inject('tools');
const dash = (await installedShells()).find(({ name }) => name === 'dash');
const job = 'job-00000000-0000-4000-8000-00000000000a';
const other = 'job-00000000-0000-4000-8000-00000000000b';
const kills = 50;
const lanes = 5;
/** Longer than a whole round, so that some kills come when all is over. */
const longestMs = 3000;

/** Fails when another training of this attempt is alive, and marks when it ends. */
const training = `import fcntl, os, time
lock = open("lock", "w")
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    open("together", "a").write("x")
open("began", "w").write(str(os.getpid()))
time.sleep(1.5)
open("finished", "a").write("x")
`;

/** The same kills each time the test runs. */
function* moments(seed: number): Generator<number, never> {
  for (let state = seed; ;) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    yield (state / 2_147_483_648) * longestMs;
  }
}

/** A container that ends takes all that runs in it along; a script that is killed alone leaves its training for a moment. */
async function killTraining(source: string): Promise<void> {
  if (!(await readdir(source)).includes('began')) return;
  const pid = await readFile(join(source, 'began'), 'utf8');
  if (pid !== '') await execa('sh', ['-c', `kill -s KILL ${pid} || :`]);
}

async function count(fixture: AttemptFixture, name: string): Promise<number> {
  const names = await readdir(fixture.source);
  return names.includes(name) ? (await readFile(join(fixture.source, name), 'utf8')).length : 0;
}

async function killOnce(
  fixture: AttemptFixture,
  afterMs: number,
  what: 'script' | 'node',
): Promise<'recorded' | 'unrecorded' | 'none'> {
  const { source, start, reset, records } = fixture;
  await reset();
  await execa('rm', ['-f', ...['lock', 'together', 'began', 'finished'].map((name) => join(source, name))]);
  await writeFile(join(source, 'train.py'), training);
  const first = start(['dash'], { jobId: job });
  await Promise.race([first, new Promise((resolve) => setTimeout(resolve, afterMs))]);
  first.kill('SIGKILL');
  if (what === 'node') await killTraining(source);
  await first;
  const before = await records();
  expect([null, job]).toContain(before.claim?.jobId ?? null);
  if (before.exit !== null) expect(before.exit).toMatchObject({ code: 0, reason: null });

  expect((await start(['dash'], { jobId: job })).exitCode).toBe(0);
  expect((await start(['dash'], { jobId: other })).exitCode).toBe(75);
  const finished = await count(fixture, 'finished');
  const after = await records();
  expect(after).toMatchObject({ claim: { jobId: job }, exit: { code: 0, signal: null, reason: null } });
  expect(after.duplicates.map(({ jobId }) => jobId)).toEqual([other]);
  expect(await count(fixture, 'together')).toBe(0);
  if (before.exit !== null) {
    expect(finished).toBe(1);
    return 'recorded';
  }
  // The end of a training and the record of it cannot be one act: a kill between the two is the only way to a second.
  return finished === 1 ? 'none' : 'unrecorded';
}

describe.skipIf(dash === undefined)('start.sh, killed at a random moment and started again', () => {
  const fixtures: AttemptFixture[] = [];
  beforeAll(async () => {
    for (let lane = 0; lane < lanes; lane += 1) fixtures.push(await makeAttempt(uv, 'python train.py'));
  });
  afterAll(async () => {
    await Promise.all(fixtures.map(async (fixture) => fixture.remove()));
  });

  it.each([
    // Between the end of the training and the record of it there are some hundredths of a second.
    ['node' as const, kills / 8],
    // The next start, or the heartbeat, finds what is left within a second; until then it may end by itself.
    ['script' as const, kills / 3],
  ])(`trains to the end once, killed ${kills} times as a %s`, async (what, mostBetween) => {
    const seen = { recorded: 0, unrecorded: 0, none: 0 };
    await Promise.all(
      fixtures.map(async (fixture, lane) => {
        const random = moments(lane + 1);
        for (let round = 0; round < kills / lanes; round += 1) {
          const { value } = random.next();
          seen[await killOnce(fixture, value, what)] += 1;
        }
      }),
    );
    console.log(
      `killed before the end ${seen.none}, after its record ${seen.recorded}, between ${seen.unrecorded}`,
    );
    expect(seen.none).toBeGreaterThan(kills / 4);
    expect(seen.recorded).toBeGreaterThan(0);
    expect(seen.unrecorded).toBeLessThanOrEqual(mostBetween);
  });
});
