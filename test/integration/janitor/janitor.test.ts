import { access, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';

import { createdJob, reached } from '../qizhi/lab.ts';
import {
  openJanitorWorld,
  startJanitorTemporal,
  type JanitorTemporal,
  type JanitorWorld,
} from './janitor-world.ts';

const patiently = { timeout: 30_000, interval: 200 };

let temporal: JanitorTemporal;
const worlds: JanitorWorld[] = [];
beforeAll(async () => {
  temporal = await startJanitorTemporal(inject('tools').temporal);
});
afterEach(async () => {
  await Promise.all(worlds.splice(0).map(async (world) => world.close()));
});
afterAll(() => temporal.close());

async function open(options: Parameters<typeof openJanitorWorld>[1] = {}): Promise<JanitorWorld> {
  const world = await openJanitorWorld(temporal, options);
  worlds.push(world);
  return world;
}

/** A job that goes on queuing for longer than a test. */
const inQueue = { queuingMs: 600_000 };

/** An attempt as it stands before its job was created. */
async function writeAttempt({ folder }: JanitorWorld): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'attempt.json'), '{}\n');
}

/** What a start script does, with short times: claims, beats, and writes down that it was told to end. */
function trainingCommand(folder: string): string {
  return [
    `cd '${folder}' && mkdir claim || exit 75`,
    'id=${HEPHAESTUS_JOB_ID:-$(uname -n)}',
    'echo "${id%-worker-*}" > claim/job_id',
    `finish() { echo '{"code":143}' > exit.json; exit 143; }`,
    'trap finish TERM',
    `n=0; while [ ! -e stop.json ]; do n=$((n+1)); echo '{"at":'$n'}' > beat.tmp; mv beat.tmp heartbeat.json; sleep 0.2; done`,
    'finish',
  ].join('\n');
}

async function trainingJob(world: JanitorWorld): Promise<string> {
  await writeAttempt(world);
  const jobId = await createdJob(world.qizhi, trainingCommand(world.folder));
  await vi.waitFor(async () => access(join(world.folder, 'heartbeat.json')), patiently);
  return jobId;
}

/** The job runs on the platform, but under a name that the platform does not know. */
async function nameless(world: JanitorWorld): Promise<string> {
  const jobId = await trainingJob(world);
  await writeFile(join(world.folder, 'claim', 'job_id'), 'a-node-without-a-name\n');
  const owner = await world.own([]);
  await owner.terminate('for the test');
  return jobId;
}

async function snapshot(directory: string): Promise<Record<string, string>> {
  const files = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = files.flatMap((entry) => (entry.isFile() ? [join(entry.parentPath, entry.name)] : []));
  return Object.fromEntries(
    await Promise.all(paths.map(async (path) => [path, await readFile(path, 'utf8')])),
  );
}

describe('a job whose workflow was terminated', () => {
  it('is left within the grace period, named by a dry run that changes nothing, then stopped with a record', async () => {
    const world = await open(inQueue);
    await writeAttempt(world);
    const jobId = await createdJob(world.qizhi, 'true');
    await reached(world.qizhi, jobId, 'queued');
    const owner = await world.own([jobId]);
    const owned = await world.visit();
    expect(world.findings(owned)).toEqual([]);
    expect(owned.owned).toBe(1);
    await owner.terminate('for the test');

    const early = world.findings(await world.visit({ graceMinutes: 60 }));
    expect(early).toMatchObject([{ jobId, action: 'leave', platform: '(not asked)' }]);
    expect(early[0]?.why).toMatch(/its workflow was terminated .* ago/);

    const before = await snapshot(world.sharedDir);
    const dry = await world.visit({ dryRun: true });
    expect(world.findings(dry)).toMatchObject([
      { jobId, action: 'stop', done: false, platform: 'job_queuing' },
    ]);
    expect(await snapshot(world.sharedDir)).toEqual(before);
    expect((await world.stats()).stop).toBe(0);

    const report = await world.visit();
    expect(world.findings(report)).toMatchObject([{ jobId, action: 'stop', done: true }]);
    expect(report).toMatchObject({ stopped: 1, undecided: 0 });
    expect(await world.qizhi.getJob(jobId)).toMatchObject({ state: 'stopped' });
    expect((await world.record()).entries).toMatchObject([{ jobId, action: 'stop', outcome: 'done' }]);

    expect(world.findings(await world.visit())).toEqual([]);
    expect((await world.stats()).stop).toBe(1);
  });

  it('is stopped while it trains, which gives it the time to write its last words', async () => {
    const world = await open();
    const jobId = await trainingJob(world);
    const owner = await world.own([jobId]);
    await owner.terminate('for the test');
    const report = await world.visit();
    expect(world.findings(report)).toMatchObject([
      { jobId, action: 'stop', done: true, platform: 'job_running' },
    ]);
    expect(JSON.parse(await readFile(join(world.folder, 'exit.json'), 'utf8'))).toEqual({ code: 143 });
    expect(await world.qizhi.getJob(jobId)).toMatchObject({ state: 'stopped' });
    expect(world.findings(await world.visit())).toEqual([]);
  });

  it('is stopped although its attempt was deleted from the disk', async () => {
    const world = await open(inQueue);
    const jobId = await createdJob(world.qizhi, 'true');
    const owner = await world.own([jobId]);
    await owner.terminate('for the test');
    await vi.waitFor(async () => {
      expect(world.findings(await world.visit())).toMatchObject([{ jobId, action: 'stop', done: true }]);
    }, patiently);
    expect(await world.qizhi.getJob(jobId)).toMatchObject({ state: 'stopped' });
    const path = join(world.sharedDir, 'janitor', `${jobId}.json`);
    expect((await world.record(path)).entries).toMatchObject([{ jobId, action: 'stop', outcome: 'done' }]);
    expect(world.findings(await world.visit())).toEqual([]);
  });

  it('is reported while the platform is away, and stopped by the visit after that', async () => {
    const world = await open(inQueue);
    await writeAttempt(world);
    const jobId = await createdJob(world.qizhi, 'true');
    const owner = await world.own([jobId]);
    await owner.terminate('for the test');
    await world.platformDown();
    const report = await world.visit();
    expect(world.findings(report)).toMatchObject([
      { jobId, action: 'report', platform: '(cannot be asked)' },
    ]);
    expect(world.findings(report)[0]?.why).toContain('QizhiUnavailable');
    expect(report.undecided).toBeGreaterThan(0);
    await world.platformUp();
    expect(world.findings(await world.visit())).toMatchObject([{ jobId, action: 'stop', done: true }]);
    expect((await world.record()).entries).toMatchObject([
      { action: 'report' },
      { action: 'stop', outcome: 'done' },
    ]);
  });
});

describe('an attempt without a job', () => {
  it('is taken back when its workflow has ended, so that a job that comes late leaves at once', async () => {
    const world = await open();
    await writeAttempt(world);
    const owner = await world.own([]);
    await owner.terminate('for the test');
    const report = await world.visit();
    expect(world.findings(report)).toMatchObject([{ jobId: null, action: 'revoke', done: true }]);
    await access(join(world.folder, 'claim', 'revoked'));
    expect(world.findings(await world.visit())).toEqual([]);
  });

  it('belongs to an experiment that is about to start its workflow', async () => {
    const world = await open();
    await writeAttempt(world);
    const experiment = await world.experiment();
    expect(world.findings(await world.visit())).toEqual([]);
    await experiment.terminate('for the test');
    expect(world.findings(await world.visit())).toMatchObject([{ action: 'revoke', done: true }]);
  });
});

describe('what is not known to be ours', () => {
  it('is never stopped: a job of somebody else on the platform', async () => {
    const world = await open();
    const jobId = await createdJob(world.qizhi, 'sleep 600');
    await reached(world.qizhi, jobId, 'running');
    expect(world.findings(await world.visit())).toEqual([]);
    expect(await world.qizhi.getJob(jobId)).toMatchObject({ state: 'running' });
    expect((await world.stats()).stop).toBe(0);
  });

  it('is reported: an attempt of which Temporal holds no workflow', async () => {
    const world = await open();
    const jobId = await trainingJob(world);
    const report = await world.visit();
    expect(world.findings(report)).toMatchObject([{ jobId, action: 'report', platform: 'job_running' }]);
    expect(world.findings(report)[0]?.todo).toMatch(/console/);
    expect(await world.qizhi.getJob(jobId)).toMatchObject({ state: 'running' });
  });

  it('is reported: a claim by a job that was not created for the attempt, whose own job is stopped', async () => {
    const world = await open();
    const stranger = await trainingJob(world);
    const jobId = await createdJob(world.qizhi, 'sleep 600');
    await reached(world.qizhi, jobId, 'running');
    const owner = await world.own([jobId]);
    await owner.terminate('for the test');
    const findings = world.findings(await world.visit());
    expect(findings).toMatchObject([
      { jobId, action: 'stop', done: true },
      { jobId: stranger, action: 'report' },
    ]);
    expect(await world.qizhi.getJob(stranger)).toMatchObject({ state: 'running' });
    expect(await world.qizhi.getJob(jobId)).toMatchObject({ state: 'stopped' });
  });
});

describe('a job that has ended', () => {
  it('is settled when it left no exit record, and looked at again only when something new stands on the disk', async () => {
    const world = await open();
    await writeAttempt(world);
    const jobId = await createdJob(world.qizhi, 'exit 1');
    await reached(world.qizhi, jobId, 'failed');
    await mkdir(join(world.folder, 'claim'));
    await writeFile(join(world.folder, 'claim', 'job_id'), `${jobId}\n`);
    const owner = await world.own([jobId]);
    await owner.terminate('for the test');
    expect(world.findings(await world.visit())).toMatchObject([
      { jobId, action: 'leave', platform: 'job_failed' },
    ]);
    const asked = (await world.stats()).detail;
    expect(world.findings(await world.visit())).toEqual([]);
    expect((await world.stats()).detail).toBe(asked);
    await writeFile(join(world.folder, 'heartbeat.json'), '{"at":1}\n');
    expect(world.findings(await world.visit())).toMatchObject([{ jobId, action: 'leave' }]);
  });

  it('is not even looked at when it left its exit record', async () => {
    const world = await open();
    await writeAttempt(world);
    await writeFile(join(world.folder, 'exit.json'), '{"code":0}\n');
    const before = await snapshot(world.folder);
    const owner = await world.own([]);
    await owner.terminate('for the test');
    expect(world.findings(await world.visit())).toEqual([]);
    expect(await snapshot(world.folder)).toEqual(before);
  });
});

describe('a job that only the shared disk reaches', () => {
  it('is asked there to end', async () => {
    const world = await open();
    const jobId = await nameless(world);
    expect(world.findings(await world.visit())).toMatchObject([
      { jobId: 'a-node-without-a-name', action: 'stop', done: true, platform: '(no id to ask by)' },
    ]);
    await reached(world.qizhi, jobId, 'failed');
    expect((await world.stats()).stop).toBe(0);
    expect(world.findings(await world.visit())).toEqual([]);
  });

  it('is reported when it goes on all the same', async () => {
    const world = await open();
    await nameless(world);
    const entry = { visit: 'v', at: '2026-01-01T00:00:00Z', jobId: 'a-node-without-a-name', action: 'stop' };
    const record = { entries: [{ ...entry, by: 'disk', outcome: 'done', why: 'it goes on' }], settled: null };
    await writeFile(join(world.folder, 'janitor.json'), JSON.stringify(record));
    const [finding] = world.findings(await world.visit());
    expect(finding).toMatchObject({ action: 'report' });
    expect(finding?.why).toContain('although it was asked');
  });

  it('is reported when its heartbeat stands still', async () => {
    const world = await open();
    await writeAttempt(world);
    await mkdir(join(world.folder, 'claim'));
    await writeFile(join(world.folder, 'claim', 'job_id'), 'a-node-without-a-name\n');
    await writeFile(join(world.folder, 'heartbeat.json'), '{"at":1}\n');
    const owner = await world.own([]);
    await owner.terminate('for the test');
    expect(world.findings(await world.visit())).toMatchObject([{ action: 'report' }]);
  });
});

describe('a visit of many attempts', () => {
  it('takes them a page at a time', async () => {
    const world = await open();
    const many = Array.from({ length: 230 }, (_, index) => `many-${index}`);
    for (const id of many) {
      const folder = join(world.sharedDir, 'experiments', id, 'attempts', '1', '0');
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, 'attempt.json'), '{}\n');
    }
    const report = await world.visit({ dryRun: true });
    const found = report.findings.filter(({ attempt }) => attempt.startsWith('many-'));
    expect(found.map(({ attempt }) => attempt).toSorted()).toEqual(many.map((id) => `${id}/1/0`).toSorted());
    expect(new Set(found.map(({ action }) => action))).toEqual(new Set(['report']));
  });

  it('goes on in a new history where the last one ended', async () => {
    const world = await open();
    await writeAttempt(world);
    const counted = {
      dryRun: false,
      looked: 7,
      owned: 7,
      stopped: 0,
      revoked: 0,
      undecided: 0,
      findings: [],
      omitted: 0,
    };
    const after = `${world.key.experimentId}-z`;
    const report = await world.visit({}, { at: 'disk', after, report: counted });
    expect(world.findings(report)).toEqual([]);
    expect(report.owned).toBe(7);
    expect(world.findings(await world.visit({}, { at: 'disk', after: 'a', report: counted }))).toHaveLength(
      1,
    );
  });
});
