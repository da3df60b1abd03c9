import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { MockActivityEnvironment } from '@temporalio/testing';

import { createNotesActivities } from '../../../activities/notes/create-notes-activities.ts';
import type { WrittenNote } from '../../../activities/notes/interface.ts';
import { ensureTools } from '../../tools/ensure-tools.ts';
import { scriptIdea } from '../models/script-idea.ts';
import { startModelsStandIn } from '../models/models-stand-in.ts';
import { findDeadLinks } from '../vault/find-dead-links.ts';
import { madeUpExperiments } from '../vault/made-up-experiments.ts';
import { makeDemoDirectory } from './demo-world.ts';
import { demoIdea } from './idea.ts';

export interface VaultDemoOptions {
  readonly count: number;
  readonly directory: string;
  readonly toolsRoot: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * A vault as many experiments leave it: made-up facts, the real activity that writes notes, the real Gemini CLI against
 * scripted answers, real git. Throws when Foam's command line finds anything wrong with it.
 */
export async function runVaultDemo({
  count,
  directory,
  toolsRoot,
  environment,
}: VaultDemoOptions): Promise<void> {
  const tools = await ensureTools({
    root: toolsRoot,
    which: ['agents'],
    environment,
    log: (line) => console.log(line),
  });
  const home = await makeDemoDirectory(directory);
  const vault = join(home, 'vault');
  await mkdir(join(home, 'models'), { recursive: true });
  const models = await startModelsStandIn({ directory: join(home, 'models'), script: scriptIdea(demoIdea) });
  const { GEMINI_API_KEY = '', GEMINI_MODEL, GOOGLE_GEMINI_BASE_URL } = models.settings;
  const activities = createNotesActivities({
    vault,
    gemini: { apiKey: GEMINI_API_KEY, model: GEMINI_MODEL, baseUrl: GOOGLE_GEMINI_BASE_URL },
    limits: { maxTokens: Infinity },
    tools,
    scratchDir: join(home, 'agents'),
    environment,
  });
  try {
    for (const facts of madeUpExperiments(count)) {
      const write = async (): Promise<WrittenNote> => activities.writeNote(facts);
      const written: WrittenNote = await new MockActivityEnvironment().run(write);
      console.log(`${facts.outcome.padEnd(9)} ${written.path}`);
    }
  } finally {
    await models.close();
  }
  const problems = await findDeadLinks(vault);
  if (problems.length > 0)
    throw new Error(`Foam finds this wrong with the vault ${vault}:\n${problems.join('\n')}`);
  console.log(`\n${count} notes; Foam finds nothing wrong with them: ${vault}`);
  console.log(`Look through them: HEPHAESTUS_VAULT=${vault} npm run -s hephaestus -- notes table`);
}
