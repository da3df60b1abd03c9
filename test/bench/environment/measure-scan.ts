import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { treeDigest } from '../../../activities/environment/tree-digest.ts';
import { scan } from '../../../activities/environment/scan.ts';
import { makeElf } from '../../integration/environment/make-elf.ts';
import { PlantedEnvironment, proveBase } from '../../integration/environment/planted-environment.ts';
import type { SmallWorld } from '../../integration/environment/small-project.ts';
import type { Figure } from '../figure.ts';

const files = 50_000;
const targetMs = 3000;

/** An environment of the size of one with a large framework: most files are modules, some are libraries. */
export async function measureScan(world: SmallWorld): Promise<readonly Figure[]> {
  const { folder, packages } = await PlantedEnvironment.create(world, await proveBase(world), 'large');
  const library = makeElf({ needed: ['libc.so.6'], versions: ['GLIBC_2.17'] });
  for (let group = 0; group < files / 100; group += 1) {
    const directory = join(packages, `package${group}`);
    await mkdir(directory);
    await Promise.all(
      Array.from({ length: 100 }, async (_, index) =>
        index === 0
          ? writeFile(join(directory, '_native.so'), library)
          : writeFile(join(directory, `module${index}.py`), `value = ${index}\n`),
      ),
    );
  }
  const { python } = world.dependencies;
  const begun = performance.now();
  const found = await scan({ folder, path: folder, interpreterPrefix: '/', python, glibc: null });
  const took = performance.now() - begun;
  const digestBegun = performance.now();
  await treeDigest(folder);
  console.log(`tree digest of the same: ${(performance.now() - digestBegun).toFixed(0)} ms`);
  return [
    {
      what: `scan of ${found.files} files, ${found.binaries.binaries} of them binaries`,
      value: `${took.toFixed(0)} ms`,
      target: `under ${targetMs} ms`,
      met: took < targetMs && found.files >= files && found.findings.length === 0,
    },
  ];
}
