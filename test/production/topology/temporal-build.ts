import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { execa } from 'execa';

import { unlessMissing } from '../../../infra/unless-missing.ts';

export interface TemporalBuild {
  readonly server: string;
  readonly sqlTool: string;
  /** Holds `temporal/versioned` and `visibility/versioned`. */
  readonly schema: string;
}

/**
 * Temporal's own server and SQL tool of this version, built by Go: what the images of the Compose file hold. A quarter of an
 * hour the first time; kept in the user's cache. Null where there is no Go.
 */
export async function buildTemporal(version: string): Promise<TemporalBuild | null> {
  const go = await execa('go', ['env', 'GOMODCACHE'], { reject: false });
  if (go.failed) return null;
  const module = 'go.temporal.io/server';
  const cache = join(homedir(), '.cache', 'hephaestus', 'production');
  const bin = join(cache, `temporal-${version}`, 'bin');
  const schema = join(go.stdout, `${module}@v${version}`, 'schema', 'postgresql', 'v12');
  const build = { server: join(bin, 'server'), sqlTool: join(bin, 'sql'), schema };
  const kept = await Promise.all(
    Object.values(build).map((path) => unlessMissing(access(path).then(() => true))),
  );
  if (kept.every((found) => found === true)) return build;
  await mkdir(join(bin, '..'), { recursive: true });
  const scratch = await mkdtemp(join(cache, 'building-'));
  const packages = ['cmd/server', 'cmd/tools/sql'].map((path) => `${module}/${path}@v${version}`);
  await execa('go', ['install', ...packages], {
    env: { GOBIN: scratch, GOFLAGS: '-mod=mod' },
    stderr: 'inherit',
  });
  await rm(bin, { recursive: true, force: true });
  await rename(scratch, bin);
  return build;
}
