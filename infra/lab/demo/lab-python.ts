import { existsSync, realpathSync } from 'node:fs';

import { execa } from 'execa';

export interface LabPython {
  readonly path: string;
  readonly version: string;
}

/**
 * The interpreter that the lab's jobs use, as an image's would be: an absolute path and its version. A managed one would
 * be uv's own download, which needs more of the Internet than the package registries.
 */
export async function findLabPython(environment: Readonly<Record<string, string>>): Promise<LabPython> {
  const candidates = ['/usr/bin/python3', '/usr/local/bin/python3', 'python3'];
  for (const candidate of candidates) {
    if (candidate.startsWith('/') && !existsSync(candidate)) continue;
    const script = 'import sys, venv; print(sys.executable); print("%d.%d" % sys.version_info[:2])';
    const { exitCode, stdout } = await execa(candidate, ['-c', script], {
      env: environment,
      extendEnv: false,
      reject: false,
    });
    const [path, version] = stdout.split('\n');
    if (exitCode !== 0 || path === undefined || version === undefined) continue;
    if (Number(version.split('.')[1]) >= 10)
      return { path: path.startsWith('/usr/') ? path : realpathSync(path), version };
  }
  throw new Error('no Python 3.10 or newer with the venv module was found: install python3 and python3-venv');
}
