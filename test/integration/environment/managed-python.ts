import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

import { execa } from 'execa';

/** Builds of CPython that run from wherever they stand, as uv's own do, by the version of the Python. */
const builds: Readonly<Record<string, string>> = {
  '3.10.8': '3.10.8-1.5.8',
  '3.11.3': '3.11.3-1.5.9',
  '3.12.1': '3.12.1-1.5.10',
  '3.13.5': '3.13.5-1.5.12',
  '3.14.3': '3.14.3-1.5.13',
};
export const managedVersions = Object.keys(builds);

const group = 'org/bytedeco/cpython';
const downloadLimitMs = 120_000;

/** A local mirror that uv installs interpreters from, or why there can be none here. */
export type PythonMirror =
  | { readonly status: 'ready'; readonly environment: Readonly<Record<string, string>> }
  | { readonly status: 'missing'; readonly reason: string };

/**
 * Makes a mirror with one interpreter in `folder`, in the form that uv reads: uv's own downloads cannot be reached
 * everywhere, Maven Central often can.
 */
export async function pythonMirror(version: string, folder: string): Promise<PythonMirror> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return { status: 'missing', reason: `no interpreter is known for ${process.platform}-${process.arch}` };
  }
  const jar = await fetchJar(builds[version] ?? version);
  if (jar === undefined) {
    const reason = `Python ${version} could not be fetched from Maven Central: mvn is missing, or it gave no answer`;
    return { status: 'missing', reason };
  }
  const archive = await repack(jar, folder);
  const [major, minor, patch] = version.split('.').map(Number);
  const entry = {
    name: 'cpython',
    arch: { family: 'x86_64', variant: null },
    os: 'linux',
    libc: 'gnu',
    major,
    minor,
    patch,
    prerelease: '',
    url: `file://${archive}`,
    sha256: await sha256(archive),
    variant: null,
    build: null,
  };
  const list = join(folder, 'downloads.json');
  await writeFile(list, JSON.stringify({ [`cpython-${version}-linux-x86_64-gnu`]: entry }));
  return { status: 'ready', environment: { UV_PYTHON_DOWNLOADS_JSON_URL: list } };
}

/** From Maven's own store on this machine, filled by Maven. */
async function fetchJar(build: string): Promise<string | undefined> {
  const jar = join(homedir(), '.m2', 'repository', group, build, `cpython-${build}-linux-x86_64.jar`);
  if (await isThere(jar)) return jar;
  const artifact = `-Dartifact=org.bytedeco:cpython:${build}:jar:linux-x86_64`;
  await execa('mvn', ['-q', 'dependency:get', artifact, '-Dtransitive=false'], {
    reject: false,
    stdin: 'ignore',
    timeout: downloadLimitMs,
  });
  return (await isThere(jar)) ? jar : undefined;
}

/** A tar.gz with one folder `python/`, which is what uv unpacks. */
async function repack(jar: string, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  await execa('python3', ['-m', 'zipfile', '-e', jar, join(folder, 'jar')]);
  const [inner] = await readdir(join(folder, 'jar', group));
  await rename(join(folder, 'jar', group, inner ?? ''), join(folder, 'python'));
  const bin = join(folder, 'python', 'bin');
  await execa('chmod', ['-R', '+x', bin]);
  const names = await readdir(bin);
  // Its scripts name the machine that it was built on.
  await Promise.all(
    names
      .filter((name) => !/^python3\.\d+$/.test(name))
      .map((name) => rm(join(bin, name), { recursive: true })),
  );
  // A jar holds no links.
  const [python] = names.filter((name) => /^python3\.\d+$/.test(name));
  for (const name of ['python3', 'python']) {
    await execa('ln', ['-sfn', python ?? '', join(bin, name)]);
  }
  const archive = join(folder, 'python.tar.gz');
  await execa('tar', ['-C', folder, '-I', 'gzip -1', '-cf', archive, 'python']);
  await rm(join(folder, 'jar'), { recursive: true });
  await rm(join(folder, 'python'), { recursive: true });
  return archive;
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
