import { readlink } from 'node:fs/promises';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';

import { readProof } from '../../../activities/environment/proof.ts';
import { createdJob, openLab, reached } from '../qizhi/lab.ts';
import { managedVersions, pythonMirror } from './managed-python.ts';
import { freezeIn, quietActivity, SmallWorld } from './small-project.ts';

let world: SmallWorld;

beforeEach(async () => {
  world = await SmallWorld.create(inject('tools'));
  await world.addPackage('hello', {
    'hello/__init__.py': 'import hashlib, json, ssl, zlib\n',
  });
});

afterEach(() => world.remove());

describe('an environment with an interpreter of its own', () => {
  // The version is what differs in how Python finds itself: each that is allowed is tried.
  it.for(managedVersions)(
    'starts where the job sees the disk at another path: Python %s',
    { timeout: 180_000 },
    async (version, { skip }) => {
      const mirror = await pythonMirror(version, join(world.root, 'mirror'));
      if (mirror.status === 'missing') return skip(mirror.reason);
      await world.addExperiment('first', ['hello==1.0']);
      const { disk, environment } = world.dependencies;
      const dependencies = {
        ...world.dependencies,
        disk: { ...disk, jobSharedDir: '/hephaestus-test/deep/disk' },
        environment: { ...environment, ...mirror.environment },
      };
      const python = version.split('.').slice(0, 2).join('.');
      const input = world.input('first', { interpreter: 'managed', python });
      const frozen = await freezeIn(quietActivity(), dependencies, input);
      const folder = join(world.shared, 'environments', frozen.digest);
      const path = `/hephaestus-test/deep/disk/environments/${frozen.digest}`;
      expect(await readProof(folder)).toMatchObject({
        python: { version, managed: true },
        path,
        rehearsal: { imported: ['hello'] },
      });
      expect(await readlink(join(folder, 'venv/bin/python'))).toMatch(/^\.\.\/\.\.\/python\//);
      if (dependencies.isolation !== 'namespaces') {
        expect(frozen.missingGuarantees.join()).toContain(`the job sees it at ${path}`);
      } else {
        expect(frozen.missingGuarantees).toEqual([]);
        expect((await readProof(folder))?.python.executable).toBe(join(path, 'venv/bin/python'));
      }
    },
  );
});

describe('a job of the lab', () => {
  it.for(['image', 'managed'] as const)(
    'runs in the environment, without network and as another user: interpreter %s',
    { timeout: 180_000 },
    async (kind, { skip }) => {
      const mirror =
        kind === 'image' ? { environment: {} } : await pythonMirror('3.11.3', join(world.root, 'mirror'));
      if ('reason' in mirror) return skip(mirror.reason);
      const source = await world.addExperiment('first', ['hello==1.0']);
      const { environment } = world.dependencies;
      const dependencies = { ...world.dependencies, environment: { ...environment, ...mirror.environment } };
      const wanted = kind === 'image' ? {} : { interpreter: 'managed', python: '3.11' };
      await freezeIn(quietActivity(), dependencies, world.input('first', wanted));
      const lab = await openLab({ directory: join(world.root, 'lab') });
      try {
        const asked = [
          'import hello, os, socket, sys',
          'print(os.getuid(), sys.prefix)',
          'try: socket.create_connection(("192.0.2.1", 443), 5)',
          'except OSError: print("no network")',
        ].join('\n');
        const user =
          lab.standIn.isolation === 'namespaces' ? 'unshare --user --map-user=65534 --map-group=65534 ' : '';
        const enter = `cd ${source} && SCRIPT_PATH=.venv/bin/activate && . "$SCRIPT_PATH"`;
        const job = await createdJob(lab.client(), `${enter} && ${user}python -c '${asked}'`);
        await reached(lab.client(), job, 'succeeded', 'failed');
        const output = await lab.output(job);
        expect(output).toContain('no network');
        const uid = user === '' ? `${process.getuid?.()}` : '65534';
        expect(output).toMatch(new RegExp(`^${uid} ${world.shared}/environments/[0-9a-f]{32}/venv$`, 'm'));
      } finally {
        await lab.remove();
      }
    },
  );
});
