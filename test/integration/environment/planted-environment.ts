import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { execa } from 'execa';

import { examine, type Examination } from '../../../activities/environment/examine.ts';
import { inspectInterpreter } from '../../../activities/environment/interpreter.ts';
import { detectIsolation } from '../../../infra/isolation/isolation.ts';
import { freezeIn, quietActivity, type SmallWorld } from './small-project.ts';

/** An environment of its own, in which something can be planted, and which is then proven like any other. */
export class PlantedEnvironment {
  readonly folder: string;
  readonly packages: string;
  readonly #world: SmallWorld;

  private constructor(world: SmallWorld, folder: string, packages: string) {
    this.#world = world;
    this.folder = folder;
    this.packages = packages;
  }

  /** A copy of an environment that was built and proven, as if it had been built at its new place. */
  static async create(world: SmallWorld, base: string, name: string): Promise<PlantedEnvironment> {
    const folder = join(world.shared, 'environments', name);
    await execa('cp', ['-a', base, folder]);
    await execa('chmod', ['-R', 'u+w', folder]);
    const bin = join(folder, 'venv', 'bin');
    for (const entry of await readdir(bin, { withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = join(bin, entry.name);
      await writeFile(file, (await readFile(file, 'utf8')).replaceAll(base, folder));
    }
    const [library = ''] = await readdir(join(folder, 'venv', 'lib'));
    return new PlantedEnvironment(world, folder, join(folder, 'venv', 'lib', library, 'site-packages'));
  }

  /** Below the folder of packages. */
  async plant(name: string, content: string | Buffer): Promise<string> {
    const file = join(this.packages, name);
    await execa('mkdir', ['-p', join(file, '..')]);
    await writeFile(file, content);
    return file;
  }

  async examine(glibc: string | null = null): Promise<Examination> {
    const { dependencies, interpreter, python } = this.#world;
    const { prefix } = await inspectInterpreter(interpreter, python, dependencies.environment);
    return examine({
      folder: this.folder,
      path: this.folder,
      interpreterPrefix: prefix,
      python: dependencies.python,
      glibc,
      isolation: dependencies.isolation ?? (await detectIsolation()),
      hide: [],
      searchPath: dependencies.environment['PATH'] ?? '/usr/bin:/bin',
      signal: new AbortController().signal,
    });
  }
}

/** The folder of a small proven environment with one package and one program. */
export async function proveBase(world: SmallWorld): Promise<string> {
  await world.addPackage('hello', { 'hello/__init__.py': 'def greet():\n    return "good day"\n' });
  await world.addExperiment('base', ['hello==1.0']);
  const { digest } = await freezeIn(quietActivity(), world.dependencies, world.input('base'));
  const folder = join(world.shared, 'environments', digest);
  return folder;
}
