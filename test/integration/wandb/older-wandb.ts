import { join } from 'node:path';

import { execa } from 'execa';

import { processEnvironment } from '../../../infra/env.ts';
import { hasAll, publishOnce } from '../../../infra/tools/publish-once.ts';
import { toolEnvironment } from '../../../infra/tools/tool-environment.ts';

const version = '0.30.0';

/**
 * The `wandb` of an older version that clusters still use, installed once beside the other tools; the reason where the
 * package index cannot be reached.
 */
export async function olderWandb(): Promise<{ readonly path: string } | { readonly missing: string }> {
  const options = { env: toolEnvironment(processEnvironment()), extendEnv: false } as const;
  try {
    const folder = await publishOnce({
      root: join(import.meta.dirname, '..', '..', '..', '.tools'),
      kind: 'wandb',
      digest: version,
      works: (made) => hasAll(made, ['bin/python', 'bin/wandb']),
      build: async (made, signal) => {
        await execa('python3', ['-m', 'venv', made], { ...options, cancelSignal: signal });
        const pip = [
          '-m',
          'pip',
          'install',
          '--disable-pip-version-check',
          '--no-input',
          `wandb==${version}`,
        ];
        await execa(join(made, 'bin', 'python'), pip, { ...options, cancelSignal: signal });
      },
    });
    return { path: join(folder, 'bin', 'wandb') };
  } catch (error) {
    return { missing: `wandb ${version} could not be installed: ${String(error).slice(0, 300)}` };
  }
}
