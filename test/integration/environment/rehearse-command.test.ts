import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';

import { createEnvironmentActivities } from '../../../activities/environment/create-environment-activities.ts';
import type { EnvironmentDependencies } from '../../../activities/environment/freeze.ts';
import type { CommandRehearsal, RehearseCommandInput } from '../../../activities/environment/interface.ts';
import { exampleNote } from '../../support/example-note.ts';
import { freezeIn, quietActivity, SmallWorld } from './small-project.ts';

const runId = 'first-a1-s0-x1';
let world: SmallWorld;
let source: string;

beforeEach(async () => {
  world = await SmallWorld.create(inject('tools'));
  await world.addPackage('hello', { 'hello/__init__.py': '' });
  source = await world.addExperiment('first', ['hello==1.0']);
  await layWandb();
});

afterEach(() => world.remove());

/**
 * The real W&B client is too large to be put into an environment for each of these: its packages lie on the shared disk,
 * since nothing else of this machine is there for a rehearsal.
 */
async function layWandb(): Promise<void> {
  const python = join(inject('tools').wandb, '..', 'python');
  const question = 'import sysconfig; print(sysconfig.get_paths()["purelib"])';
  const { stdout: packages } = await execa(python, ['-c', question]);
  const target = join(world.shared, 'wandb-packages');
  const linked = await execa('cp', ['-al', packages, target], { reject: false });
  // Files of another disk cannot be linked.
  if (linked.failed) await execa('cp', ['-r', packages, target]);
}

async function rehearse(
  command: string,
  change: Partial<EnvironmentDependencies> = {},
  nodes = 1,
): Promise<CommandRehearsal> {
  const dependencies = { ...world.dependencies, rehearsalSeconds: 60, ...change };
  await freezeIn(quietActivity(), dependencies, world.input('first'));
  const headSha = (await execa('git', ['rev-parse', 'HEAD'], { cwd: source })).stdout;
  const base = exampleNote();
  const note = { ...base, job: { ...base.job, command, instance_count: nodes } };
  const input: RehearseCommandInput = { experimentId: 'first', note, headSha, seed: 0, runId };
  const activities = createEnvironmentActivities(dependencies);
  return quietActivity().run<
    [RehearseCommandInput],
    CommandRehearsal,
    (given: RehearseCommandInput) => Promise<CommandRehearsal>
  >((given) => activities.rehearseCommand(given), input);
}

const train = (body: string) =>
  `cat > train.py <<'PY'\nimport os, sys, wandb\nassert os.environ["HEPHAESTUS_REHEARSAL"] == "1"\n${body}\nPY\nPYTHONPATH="$PYTHONPATH:../../../wandb-packages:${world.shared}/wandb-packages" python train.py`;

describe('the rehearsal of a command', () => {
  it('passes when an offline run under the chosen id appears, and leaves the worktree as it was', async () => {
    const body = 'with wandb.init() as run:\n    run.log({"loss": 1.0})\n    run.log({"loss": 0.5})';
    const rehearsal = await rehearse(`${train(body)} && python -c 'import hello'`);
    expect(rehearsal).toMatchObject({
      status: 'passed',
      code: null,
      sawRun: true,
      connections: [],
      sentence: expect.stringMatching(/ended by itself after [\d.]+ s; .* had 2 rows/),
    });
    expect(rehearsal.missingGuarantees).toEqual(
      world.dependencies.isolation === 'namespaces' ? [] : expect.arrayContaining([expect.any(String)]),
    );
    expect(await readdir(source)).not.toContain('train.py');
    const [record] = await readdir(join(source, '..', 'rehearsals'));
    expect(JSON.parse(await readFile(join(source, '..', 'rehearsals', record ?? ''), 'utf8'))).toMatchObject({
      status: 'passed',
      runId,
    });
    expect(await readdir(join(source, '..'))).not.toContain('attempts');
  });

  it('passes a command that goes on until its time is up, and ends all of it', async () => {
    const body = [
      'import subprocess, time',
      'subprocess.Popen(["sleep", "654"], start_new_session=True)',
      'run = wandb.init()',
      'for step in range(100000):\n    run.log({"step": step})\n    time.sleep(0.1)',
    ].join('\n');
    const rehearsal = await rehearse(train(body), { rehearsalSeconds: 8 });
    expect(rehearsal).toMatchObject({ status: 'passed', sawRun: true });
    expect(rehearsal.sentence).toMatch(/was still at work after/);
    expect(rehearsal.seconds).toBeLessThan(30);
    expect((await execa('pgrep', ['-f', 'sleep 654'], { reject: false })).stdout).toBe('');
  });

  it('names every attempt to reach the network, with the line, though the command hides it', async () => {
    const body = [
      'import socket, urllib.request',
      'def fetch():',
      '    try: urllib.request.urlopen("http://models.example.org/weights", timeout=5)',
      '    except OSError: pass',
      'fetch()',
      'socket.create_connection(("127.0.0.1", 9)) if False else None',
      'with wandb.init() as run: run.log({"loss": 1.0})',
    ].join('\n');
    const rehearsal = await rehearse(train(body));
    expect(rehearsal).toMatchObject({ status: 'failed', code: 'connection-attempted', sawRun: true });
    expect(rehearsal.connections).toContainEqual(
      expect.stringMatching(/^models\.example\.org:80 \(train\.py:5\)$/),
    );
  });

  it('sees by the kernel what a program that is not Python tries', async ({ skip }) => {
    if (world.dependencies.isolation !== 'namespaces')
      skip('only a network of its own has counters of its own');
    // Started without the search path, this Python has no watch in it: it stands for any other program.
    const silent = `env -u PYTHONPATH python -c 'import socket; s = socket.socket(); s.connect(("192.0.2.1", 443))' || true`;
    const rehearsal = await rehearse(`${silent}\n${train('wandb.init().finish()')}`);
    expect(rehearsal).toMatchObject({ status: 'failed', code: 'connection-attempted' });
    expect(rehearsal.connections.join()).toContain('only the kernel saw');
  });

  const failing: readonly (readonly [code: string, command: () => string, words: RegExp])[] = [
    ['command-failed', () => 'python -c "raise SystemExit(3)"', /exit code 3/],
    ['command-failed', () => 'python -c "import nowhere"', /No module named 'nowhere'/],
    ['run-missing', () => 'python -c "print(1)"', /began no W&B run/],
    ['run-renamed', () => train('wandb.init(id="mine").finish()'), /another id .*: mine\./],
  ];
  it.for(failing)('fails what would fail in the job: %s', async ([code, command, words]) => {
    expect(await rehearse(command())).toMatchObject({
      status: 'failed',
      code,
      sawRun: false,
      sentence: expect.stringMatching(words),
    });
  });

  it('does not hold a missing GPU against the command', async ({ skip }) => {
    if ((await lstat('/dev/nvidiactl').catch(() => undefined)) !== undefined) skip('this machine has a GPU');
    const body = `raise RuntimeError("No CUDA GPUs are available")`;
    expect(await rehearse(`python -c '${body}'`)).toMatchObject({ status: 'skipped', code: 'needs-gpu' });
  });

  it('says what it cannot hold where namespaces are not allowed, and of more than one node', async () => {
    const weaker = await rehearse(
      train('with wandb.init() as run: run.log({"loss": 1.0})'),
      { isolation: 'seccomp' },
      2,
    );
    expect(weaker).toMatchObject({ status: 'passed', sawRun: true });
    expect(weaker.missingGuarantees.join(' ')).toMatch(/hidden.*other programs were not seen.*2 nodes/);
    const { disk } = world.dependencies;
    const elsewhere = await rehearse('true', {
      isolation: 'seccomp',
      disk: { ...disk, jobSharedDir: '/hephaestus-test/disk' },
    });
    expect(elsewhere).toMatchObject({ status: 'skipped', code: 'not-possible-here' });
  });

  it('runs at the path where the job sees the disk', async ({ skip }) => {
    if (world.dependencies.isolation !== 'namespaces') skip('no folder can be shown at another path here');
    const { disk } = world.dependencies;
    const body = [
      'assert os.getcwd() == "/hephaestus-test/disk/experiments/first/source", os.getcwd()',
      `assert not os.path.exists(${JSON.stringify(disk.sharedDir)})`,
      'assert os.environ["VIRTUAL_ENV"].startswith("/hephaestus-test/disk/environments/")',
      'wandb.init().finish()',
    ].join('\n');
    const rehearsal = await rehearse(train(body), {
      disk: { ...disk, jobSharedDir: '/hephaestus-test/disk' },
    });
    expect(rehearsal.outputTail).not.toContain('Traceback');
    expect(rehearsal).toMatchObject({ status: 'passed', sawRun: true });
  });
});
