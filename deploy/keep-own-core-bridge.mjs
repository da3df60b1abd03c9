import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Removes Temporal's native parts for other machines than this one: two thirds of what an image would carry. */
const releases = join(process.argv[2] ?? 'node_modules', '@temporalio', 'core-bridge', 'releases');
const own = { x64: 'x86_64-unknown-linux-gnu', arm64: 'aarch64-unknown-linux-gnu' }[process.arch];
const found = await readdir(releases);
if (own === undefined || !found.includes(own)) {
  throw new Error(
    `${releases} holds ${found.join(', ')}: expected one for ${process.platform} ${process.arch}`,
  );
}
for (const name of found) if (name !== own) await rm(join(releases, name), { recursive: true });
