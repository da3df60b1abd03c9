import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { execa } from 'execa';

const demo = join(import.meta.dirname, '..', '..', 'infra', 'lab', 'demo', 'index.ts');

/** The demo twice, in folders of its own: what it prints of its times, and the ratio of the second to the first. */
export async function benchDemo(): Promise<void> {
  const seconds: number[] = [];
  for (const which of ['first', 'second']) {
    const directory = await mkdtemp(join(tmpdir(), 'hephaestus-bench-'));
    try {
      const begun = Date.now();
      const { stdout } = await execa(process.execPath, [demo, '--directory', directory]);
      seconds.push((Date.now() - begun) / 1000);
      console.log(
        `${which} run, ${seconds.at(-1)?.toFixed(1) ?? ''} s:${stdout.slice(stdout.indexOf('\nWhere the time went'))}`,
      );
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }
  console.log(`second / first: ${((seconds[1] ?? 0) / (seconds[0] ?? 1)).toFixed(2)}`);
}
