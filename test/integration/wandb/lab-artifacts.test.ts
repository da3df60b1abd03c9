import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';

import type { StandIn } from '../../../infra/lab/stand-in.ts';
import { startWandbStandIn } from '../../../infra/lab/wandb/start-wandb-stand-in.ts';

let root: string;
let server: StandIn;
let env: Readonly<Record<string, string>>;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'hephaestus-test-'));
  server = await startWandbStandIn({ directory: join(root, 'server') });
  const { WANDB_API_KEY = '' } = server.settings;
  env = { PATH: '/usr/bin:/bin', HOME: root, WANDB_BASE_URL: server.url, WANDB_API_KEY, WANDB_DIR: root };
});
afterAll(async () => {
  await server.close();
  await rm(root, { recursive: true, force: true });
});

const Answer = z.object({
  data: z.object({
    project: z.object({
      run: z.object({
        historyLineCount: z.int(),
        state: z.string(),
        files: z.object({
          edges: z.array(
            z.object({ node: z.object({ name: z.string(), updatedAt: z.string().nullable() }) }),
          ),
        }),
        outputArtifacts: z.object({
          edges: z.array(z.object({ node: z.object({ id: z.string(), state: z.string() }) })),
        }),
      }),
    }),
  }),
});

async function readRun() {
  const fields =
    'historyLineCount state files { edges { node { name updatedAt } } } outputArtifacts { edges { node { id state } } }';
  const query = `query Run { project(name: "p") { run(name: "with-table") { ${fields} } } }`;
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`api:${env['WANDB_API_KEY'] ?? ''}`).toString('base64')}`,
    },
    body: JSON.stringify({ query }),
  });
  return Answer.parse(await response.json()).data.project.run;
}

describe('the stand-in of the W&B server, by the real client', () => {
  it('keeps a table, and what else a run brings, from an offline run that was synced', async () => {
    const { wandb } = inject('tools');
    const python = join(dirname(wandb), 'python');
    await execa(python, [join(import.meta.dirname, 'table.py')], { cwd: root, env, extendEnv: false });
    const [folder = ''] = (await readdir(join(root, 'wandb'))).filter((name) =>
      name.startsWith('offline-run-'),
    );
    await execa(wandb, ['sync', join(root, 'wandb', folder)], { cwd: root, env, extendEnv: false });

    const run = await readRun();
    expect(run).toMatchObject({ historyLineCount: 2, state: 'finished' });
    expect(run.files.edges.filter(({ node }) => node.updatedAt === null)).toEqual([]);
    const names = run.files.edges.map(({ node }) => node.name);
    expect(names).toEqual(expect.arrayContaining(['config.yaml', 'wandb-summary.json', 'requirements.txt']));
    expect(names.some((name) => name.startsWith('media/html/'))).toBe(true);

    const [artifact] = run.outputArtifacts.edges;
    expect(run.outputArtifacts.edges).toHaveLength(1);
    expect(artifact?.node.state).toBe('COMMITTED');
    const base = `${server.url}/artifacts/${artifact?.node.id}`;
    const manifest = await (await fetch(`${base}/manifests/wandb_manifest.json`)).text();
    expect(manifest).toContain('answers.table.json');
    const table = await fetch(`${base}/files/answers.table.json`);
    expect(table.status).toBe(200);
    expect(await table.json()).toMatchObject({ data: [['six by seven', 42]] });

    // The same content, sent again, is no second version of it.
    const again = ['sync', '--include-synced', join(root, 'wandb', folder)];
    await execa(wandb, again, { cwd: root, env, extendEnv: false });
    expect((await readRun()).outputArtifacts.edges).toHaveLength(1);
  });
});
