import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { parse } from 'dotenv';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const checkout = join(import.meta.dirname, '..', '..');

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hephaestus-e2e-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Processes whose command line or environment names the demo's folder. */
async function leftOvers(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  const seen = await Promise.all(
    pids.map(async (pid) => {
      const [command, environment] = await Promise.all(
        ['cmdline', 'environ'].map((name) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '')),
      );
      return { command: command ?? '', environment: environment ?? '' };
    }),
  );
  return seen
    .filter(({ command, environment }) => command.includes(directory) || environment.includes(directory))
    .map(({ command }) => command);
}

const secretKeys =
  /^(GITHUB_TOKEN|GITHUB_PUSH_TOKEN|GITHUB_WEBHOOK_SECRET|QIZHI_PASSWORD|WANDB_API_KEY|GEMINI_API_KEY|OPENAI_API_KEY)$/;

/**
 * Files of Hephaestus (Temporal's own database with every history, the shared disk with every staged file, the vault) and
 * of the jobs that hold a secret of the settings, as it is or as git sends it.
 */
async function filesWithSecrets(world: string): Promise<string[]> {
  const settings = parse(await readFile(join(world, 'home', '.env'), 'utf8'));
  const secrets = Object.entries(settings).flatMap(([key, value]) => (secretKeys.test(key) ? [value] : []));
  expect(secrets).toHaveLength(7);
  const needles = secrets.flatMap((secret) => [
    secret,
    Buffer.from(`x-access-token:${secret}`).toString('base64'),
    Buffer.from(`api:${secret}`).toString('base64'),
  ]);
  const searched = [join(world, 'home'), join(world, 'lab', 'qizhi', 'jobs')];
  const found: string[] = [];
  for (const folder of searched) {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (!entry.isFile() || path === join(world, 'home', '.env') || path.includes('/environments/'))
        continue;
      const bytes = await readFile(path);
      if (needles.some((needle) => bytes.includes(needle))) found.push(path);
    }
  }
  return found;
}

/** Sends the form for comments as a browser would, signed in as this user. */
async function write(page: string, login: string, body: string): Promise<void> {
  const answer = await fetch(`${page}/comments`, {
    method: 'POST',
    redirect: 'manual',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      cookie: `lab_user=${login}`,
      origin: new URL(page).origin,
    },
    body: new URLSearchParams({ body }).toString(),
  });
  expect([answer.status, answer.headers.get('location')]).toEqual([303, new URL(page).pathname]);
}

describe('npm run demo', () => {
  it('ends with a merged commit, a comment with its picture and a note, and leaves no process', async () => {
    const { stdout, exitCode } = await execa(
      process.execPath,
      [join(checkout, 'infra', 'lab', 'demo', 'index.ts'), '--directory', directory],
      { reject: false, stdin: 'ignore', env: { NO_COLOR: '1' } },
    );
    expect(stdout).toMatch(/merged: [0-9a-f]{12} /);
    expect(stdout).toMatch(/Better: .* against .*95 % interval/);
    expect(stdout).toContain('Stand-ins, over real HTTP');
    expect(stdout).toMatch(/live +\d+ rows so far: the comment shows the curves/);
    expect(exitCode).toBe(0);
    const [note] = await readdir(join(directory, 'demo', 'home', 'vault')).then((names) =>
      names.filter((name) => name.endsWith('-warmup-cosine.md')),
    );
    const text = await readFile(join(directory, 'demo', 'home', 'vault', note ?? ''), 'utf8');
    expect(text).toMatch(/^status: merged$/m);
    expect(text).toMatch(/^merge_sha: "?[0-9a-f]{40}"?$/m);
    expect(await leftOvers()).toEqual([]);
    expect(await filesWithSecrets(join(directory, 'demo'))).toEqual([]);
  }, 240_000);

  it('is driven to its end by comments on the page of the pull request alone', async () => {
    const demo = execa(
      process.execPath,
      [join(checkout, 'infra', 'lab', 'demo', 'index.ts'), '--by-hand', '--directory', directory],
      { reject: false, stdin: 'ignore', env: { NO_COLOR: '1' } },
    );
    let asked = false;
    for await (const line of demo.iterable()) {
      if (line.includes('it is yours')) asked = true;
      const page = asked ? /pull request:\s+(http\S+)/.exec(line)?.[1] : undefined;
      if (page === undefined) continue;
      // Neither a word in a quotation nor that of a reader is obeyed; the first that is, is the PI's.
      await write(page, 'pi', '> /hephaestus reject\n\nno, I read it again');
      await write(page, 'reader', '/hephaestus reject');
      await write(page, 'pi', 'It is what I hoped for.\n\n/hephaestus merge');
    }
    const { stdout, exitCode } = await demo;
    expect(stdout).toMatch(/merged: [0-9a-f]{12} /);
    expect(exitCode).toBe(0);
    const [note = ''] = (await readdir(join(directory, 'demo', 'home', 'vault'))).filter((name) =>
      name.endsWith('-warmup-cosine.md'),
    );
    expect(await readFile(join(directory, 'demo', 'home', 'vault', note), 'utf8')).toMatch(
      /^status: merged$/m,
    );
  }, 240_000);

  it.each(['it is interrupted', 'nobody reads its output any more'])(
    'cleans up all of its processes when %s',
    async (reason) => {
      const demo = execa(
        process.execPath,
        [join(checkout, 'infra', 'lab', 'demo', 'index.ts'), '--directory', directory],
        { reject: false, stdin: 'ignore', env: { NO_COLOR: '1' } },
      );
      for await (const line of demo.iterable()) {
        if (!line.includes('implementing')) continue;
        if (reason !== 'it is interrupted') break;
        demo.kill('SIGINT');
      }
      const { exitCode } = await demo;
      expect(exitCode).toBe(130);
      expect(await leftOvers()).toEqual([]);
    },
    240_000,
  );
});
