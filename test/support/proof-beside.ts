import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { execa } from 'execa';

/** What the probe on the node wants to see beside an environment that no builder has proven: its Python's version. */
export async function writeProofBeside(venv: string): Promise<void> {
  const describe = 'import platform; print(platform.python_version())';
  const { stdout: version } = await execa(join(venv, 'bin', 'python'), ['-c', describe]);
  const proof = { python: { version, managed: false } };
  await writeFile(join(dirname(venv), 'environment.json'), JSON.stringify(proof));
}
