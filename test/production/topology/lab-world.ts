import { chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { Octokit } from '@octokit/rest';
import { execa } from 'execa';

import { demoIdea } from '../../../infra/lab/demo/idea.ts';
import { findLabPython } from '../../../infra/lab/demo/lab-python.ts';
import { scriptIdea } from '../../../infra/lab/models/script-idea.ts';
import { seedDigits } from '../../../infra/lab/seed-digits.ts';
import { ensureTools } from '../../../infra/tools/ensure-tools.ts';
import { startLab, type Lab } from '../../../infra/lab/start-lab.ts';

/** The first message to a lab in a process of its own. */
export type LabPlace = {
  readonly folder: string;
  /** A folder that this user may read, with the tools in it. */
  readonly tools: string;
  /** Where its GitHub sends webhooks. */
  readonly hook: string;
};

/** Where everything outside is, and what opens it. */
export type SeededLab = {
  readonly settings: Readonly<Record<string, string>>;
  readonly github: { readonly url: string };
  readonly qizhi: { readonly url: string };
  readonly models: { readonly url: string };
};

/** The outside world as this user, in a process of its own; `close` ends it. */
export async function openLabAs(
  uid: number,
  place: LabPlace,
  machine: Readonly<Record<string, string>>,
): Promise<SeededLab & { close(): Promise<void> }> {
  await mkdir(place.folder);
  await chown(place.folder, uid, uid);
  const child = execa(process.execPath, [join(import.meta.dirname, 'lab-process.ts')], {
    uid,
    gid: uid,
    cwd: place.folder,
    extendEnv: false,
    reject: false,
    all: true,
    env: { ...machine, HOME: place.folder },
    ipc: true,
    ipcInput: place,
  });
  const seeded = (await child.getOneMessage().catch(async (cause: unknown) => {
    const { all } = await child;
    throw new Error(`the lab ended at once:\n${all}`, { cause });
  })) as SeededLab;
  return {
    ...seeded,
    close: async () => {
      child.kill('SIGTERM');
      await child;
    },
  };
}

/** Starts it with the example experiment in it. */
export async function startSeededLab(
  { folder, tools: root, hook }: LabPlace,
  environment: Readonly<Record<string, string>>,
): Promise<Lab> {
  const python = await findLabPython(environment);
  const { note } = demoIdea;
  const own = { ...note.environment, python: python.version, interpreter: python.path };
  const lab = await startLab({
    directory: folder,
    script: scriptIdea({ ...demoIdea, note: { ...note, environment: own } }),
  });
  const { uv, wandb } = await ensureTools({ root, environment, which: ['uv', 'wandb', 'python'] });
  await seedDigits(lab, { uv, wandb, python: python.path, environment });
  const { GITHUB_API_URL = '', GITHUB_WEBHOOK_SECRET: secret = '' } = lab.settings;
  const octokit = new Octokit({ baseUrl: GITHUB_API_URL, auth: lab.github.tokens['pi'] });
  await octokit.rest.repos.createWebhook({
    owner: 'lab',
    repo: 'digits',
    events: ['pull_request', 'pull_request_review', 'issue_comment', 'status'],
    config: { url: hook, content_type: 'json', secret },
  });
  return lab;
}
