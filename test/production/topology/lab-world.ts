import { chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { findLabPython } from '../../../infra/lab/demo/lab-python.ts';
import { scriptDemo } from '../../../infra/lab/demo/script-demo.ts';
import { registerWebhook } from '../../../infra/lab/register-webhook.ts';
import { seedDigits } from '../../../infra/lab/seed-digits.ts';
import { ensureTools } from '../../../infra/tools/ensure-tools.ts';
import { startLab, type Lab } from '../../../infra/lab/start-lab.ts';
import { startIpcProcess } from '../../support/ipc-process.ts';

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
  const script = join(import.meta.dirname, 'lab-process.ts');
  const env = { ...machine, HOME: place.folder };
  const lab = await startIpcProcess(script, place, { uid, cwd: place.folder, env });
  return { ...(lab.first as SeededLab), close: () => lab.stop() };
}

/** Starts it with the example experiment in it. */
export async function startSeededLab(
  { folder, tools: root, hook }: LabPlace,
  environment: Readonly<Record<string, string>>,
): Promise<Lab> {
  const python = await findLabPython(environment);
  const lab = await startLab({ directory: folder, script: scriptDemo(python) });
  const { uv, wandb } = await ensureTools({ root, environment, which: ['uv', 'wandb', 'python'] });
  await seedDigits(lab, { uv, wandb, python: python.path, environment });
  await registerWebhook(lab, hook);
  return lab;
}
