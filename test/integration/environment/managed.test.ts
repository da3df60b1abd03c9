import { readlink } from 'node:fs/promises';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';

import { readProof } from '../../../activities/environment/proof.ts';
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
