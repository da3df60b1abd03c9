import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { execa } from 'execa';

import { lockProject } from '../uv/lock-project.ts';
import type { Lab } from './start-lab.ts';

const example = fileURLToPath(new URL('../../examples/digits', import.meta.url));

export interface SeedOptions {
  readonly uv: string;
  readonly wandb: string;
  /** Absolute path of the interpreter that the lab's jobs use. */
  readonly python: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** Puts the example experiment into the lab: its repository with a fresh lock, and the recorded runs of its baseline. */
export async function seedDigits(lab: Lab, options: SeedOptions): Promise<void> {
  await Promise.all([seedRepository(lab, options), seedBaseline(lab, options)]);
}

async function seedRepository(lab: Lab, { uv, python, environment }: SeedOptions): Promise<void> {
  await inScratch(async (folder) => {
    await cp(example, folder, { recursive: true, filter: (path) => path !== join(example, 'baseline') });
    await lockProject(folder, { uv, environment, python });
    await lab.github.seedRepository({
      owner: 'lab',
      name: 'digits',
      from: folder,
      message: 'Train digits: the baseline',
    });
  });
}

/** By the real client: the runs were recorded offline, as any run of Hephaestus is. A copy, since sync leaves marks. */
async function seedBaseline(lab: Lab, { wandb, environment }: SeedOptions): Promise<void> {
  await inScratch(async (folder) => {
    await cp(join(example, 'baseline'), folder, { recursive: true });
    const { WANDB_BASE_URL = '', WANDB_API_KEY = '' } = lab.wandb.settings;
    await execa(wandb, ['sync', '--yes', folder], {
      env: { ...environment, HOME: folder, WANDB_DIR: folder, WANDB_BASE_URL, WANDB_API_KEY },
      extendEnv: false,
      stdin: 'ignore',
    });
  });
}

async function inScratch(act: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'hephaestus-lab-'));
  try {
    await act(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
