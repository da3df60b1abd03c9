import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { execa } from 'execa';

import { createEnvironmentActivities } from '../../../activities/environment/create-environment-activities.ts';

import type { EnvironmentDependencies } from '../../../activities/environment/freeze.ts';
import { inspectInterpreter } from '../../../activities/environment/interpreter.ts';
import type { FreezeInput, FrozenEnvironment } from '../../../activities/environment/interface.ts';
import { processEnvironment } from '../../../infra/env.ts';
import { detectIsolation } from '../../../infra/isolation/isolation.ts';
import { preflight } from '../../../infra/tools/preflight.ts';
import type { Tools } from '../../../infra/tools/ensure-tools.ts';
import { toolEnvironment } from '../../../infra/tools/tool-environment.ts';
import { lockProject } from '../../../infra/uv/lock-project.ts';

/** Arguments: wheel folder, name, the files as JSON, and how it is packed. Prints the sha256. */
const makeWheel = `
import hashlib, io, json, os, sys, tarfile, zipfile
folder, name, files, how = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), json.loads(sys.argv[4])
version, tag = how.get("version", "1.0"), how.get("tag", "py3-none-any")
metadata = f"Metadata-Version: 2.2\\nName: {name}\\nVersion: {version}\\n" + "".join(f"Requires-Dist: {each}\\n" for each in how.get("requires", []))
if how.get("source"):
    path = os.path.join(folder, f"{name}-{version}.tar.gz")
    with tarfile.open(path, "w:gz") as source:
        for file, text in {**files, "PKG-INFO": metadata}.items():
            entry = tarfile.TarInfo(f"{name}-{version}/{file}")
            entry.size = len(text)
            source.addfile(entry, io.BytesIO(text.encode()))
else:
    info = f"{name}-{version}.dist-info"
    files[f"{info}/METADATA"] = metadata
    files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: {tag}\\n"
    files[f"{info}/RECORD"] = "".join(f"{file},,\\n" for file in files) + f"{info}/RECORD,,\\n"
    path = os.path.join(folder, f"{name}-{version}-{tag}.whl")
    with zipfile.ZipFile(path, "w") as wheel:
        for file, text in files.items():
            wheel.writestr(zipfile.ZipInfo(file, (2026, 1, 1, 0, 0, 0)), text)
print(hashlib.sha256(open(path, "rb").read()).hexdigest())
`;

export interface Packing {
  /** 1.0 when not given. */
  readonly version?: string;
  /** Of the wheel; any Python on any platform when not given. */
  readonly tag?: string;
  readonly requires?: readonly string[];
  /** A source distribution instead of a wheel. */
  readonly source?: true;
}

/** A shared disk with experiments on a package index of its own, in a folder: nothing is asked of the network. */
export class SmallWorld {
  readonly root: string;
  readonly shared: string;
  readonly interpreter: string;
  readonly python: string;
  readonly dependencies: EnvironmentDependencies;
  readonly #uv: string;

  private constructor(
    root: string,
    uv: string,
    python: Awaited<ReturnType<typeof thisPython>>,
    dependencies: EnvironmentDependencies,
  ) {
    this.root = root;
    this.shared = dependencies.disk.sharedDir;
    this.interpreter = python.executable;
    this.python = python.version;
    this.dependencies = dependencies;
    this.#uv = uv;
  }

  static async create({ uv, python }: Tools): Promise<SmallWorld> {
    const root = await realpath(await mkdtemp(join(tmpdir(), 'freeze-')));
    const shared = join(root, 'shared');
    await mkdir(join(root, 'wheels'));
    // Counts what is started, and stands still, in a child, at the step that is named in a file.
    const counting = join(root, 'uv');
    await writeFile(
      counting,
      `#!/bin/sh\necho "$*" >> ${root}/calls\nif [ -f ${root}/hang ] && [ "$1" = "$(cat ${root}/hang)" ]; then sleep 600 & echo $! > ${root}/hanging; wait; fi\nexec ${uv} "$@"\n`,
    );
    await chmod(counting, 0o755);
    const environment = toolEnvironment(processEnvironment());
    return new SmallWorld(root, uv, await thisPython(environment), {
      disk: { sharedDir: shared, jobSharedDir: shared },
      uv: counting,
      python,
      environment: { ...environment, UV_CACHE_DIR: join(root, 'cache') },
      isolation: await detectIsolation(),
    });
  }

  /** Puts a package into the index; returns its requirement with hash. */
  async addPackage(
    name: string,
    files: Readonly<Record<string, string>>,
    packing: Packing = {},
  ): Promise<string> {
    const args = ['-c', makeWheel, join(this.root, 'wheels'), name, JSON.stringify(files)];
    const { stdout } = await execa(this.interpreter, [...args, JSON.stringify(packing)]);
    return `${name}==${packing.version ?? '1.0'} --hash=sha256:${stdout.trim()}`;
  }

  /** An experiment's worktree that needs these packages; returns its folder. */
  async addExperiment(
    id: string,
    packages: readonly string[],
    project: string = this.pyproject(packages),
  ): Promise<string> {
    const source = join(this.shared, 'experiments', id, 'source');
    await mkdir(source, { recursive: true });
    await writeFile(join(source, 'pyproject.toml'), project);
    await lockProject(source, {
      uv: this.#uv,
      environment: this.dependencies.environment,
      python: this.interpreter,
    });
    await this.commit(source);
    return source;
  }

  /** An experiment with a requirements file of these lines. */
  async addRequirements(id: string, lines: readonly string[]): Promise<string> {
    const source = join(this.shared, 'experiments', id, 'source');
    await mkdir(source, { recursive: true });
    const index = `--no-index\n--find-links ${join(this.root, 'wheels')}\n`;
    await writeFile(join(source, 'requirements.txt'), `${index}${lines.join('\n')}\n`);
    await this.commit(source);
    return source;
  }

  pyproject(packages: readonly string[]): string {
    const wheels = JSON.stringify(join(this.root, 'wheels'));
    return `[project]\nname = "small"\nversion = "0"\nrequires-python = ">=3.10"\ndependencies = ${JSON.stringify(packages)}\n[tool.uv]\npackage = false\nno-index = true\nfind-links = [${wheels}]\n`;
  }

  async commit(source: string): Promise<void> {
    const git = async (...args: string[]) => execa('git', args, { cwd: source });
    await git('init', '-q', '-b', 'main');
    await git('add', '-A', '-f');
    await git(
      '-c',
      'user.name=t',
      '-c',
      'user.email=t@example.org',
      'commit',
      '-q',
      '--allow-empty',
      '-m',
      'x',
    );
  }

  input(experimentId: string, environment: Partial<FreezeInput['environment']> = {}): FreezeInput {
    const lock = environment.requirements === undefined ? { lock: 'uv.lock' } : {};
    const python = this.python.split('.').slice(0, 2).join('.');
    return { experimentId, environment: { python, interpreter: this.interpreter, ...lock, ...environment } };
  }

  /** The calls of uv since the last time this was asked. */
  async calls(): Promise<readonly string[]> {
    const file = join(this.root, 'calls');
    const text = await readFile(file, 'utf8').catch(() => '');
    await rm(file, { force: true });
    return text.split('\n').filter((line) => line !== '');
  }

  /** Everything that stands in the folder of environments. */
  async environments(): Promise<readonly string[]> {
    return readdir(join(this.shared, 'environments')).catch(() => []);
  }

  async remove(): Promise<void> {
    await execa('chmod', ['-R', 'u+w', this.root]);
    await rm(this.root, { recursive: true, force: true });
  }
}

/** An activity's surroundings; what these tests break on purpose is not logged. */
export function quietActivity(): MockActivityEnvironment {
  return new MockActivityEnvironment(undefined, { logger: new DefaultLogger('ERROR') });
}

export async function freezeIn(
  activity: MockActivityEnvironment,
  dependencies: EnvironmentDependencies,
  input: FreezeInput,
): Promise<FrozenEnvironment> {
  const activities = createEnvironmentActivities(dependencies);
  return activity.run<[FreezeInput], FrozenEnvironment, (given: FreezeInput) => Promise<FrozenEnvironment>>(
    (given) => activities.freezeEnvironment(given),
    input,
  );
}

async function thisPython(environment: Readonly<Record<string, string>>) {
  const { python } = await preflight(environment);
  const { stdout } = await execa(python, ['-c', 'import platform; print(platform.python_version())']);
  return inspectInterpreter(python, stdout.trim(), environment);
}
