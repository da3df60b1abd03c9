import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { onTestFinished } from 'vitest';

import { demoIdea } from '../../../infra/lab/demo/idea.ts';
import { type ModelsStandIn, startModelsStandIn } from '../../../infra/lab/models/models-stand-in.ts';
import { scriptIdea } from '../../../infra/lab/models/script-idea.ts';
import type { ModelsScript } from '../../../infra/lab/models/script.ts';
import type { GeminiSettings, QwenSettings } from '../../../infra/settings.ts';

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hephaestus-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

/** The scripted endpoints; what the script does not say is played as the demo's idea. */
export async function startModels(script: Partial<ModelsScript> = {}): Promise<ModelsStandIn> {
  const models = await startModelsStandIn({
    directory: await temporaryFolder(),
    script: { ...scriptIdea(demoIdea), ...script },
  });
  onTestFinished(() => models.close());
  return models;
}

export function geminiSettings({ settings }: ModelsStandIn): GeminiSettings {
  return {
    apiKey: settings['GEMINI_API_KEY'] ?? '',
    model: settings['GEMINI_MODEL'],
    baseUrl: settings['GOOGLE_GEMINI_BASE_URL'],
  };
}

export function qwenSettings({ settings }: ModelsStandIn): QwenSettings {
  return {
    apiKey: settings['OPENAI_API_KEY'] ?? '',
    model: settings['OPENAI_MODEL'],
    baseUrl: settings['OPENAI_BASE_URL'],
  };
}

/** Runs an activity as a worker would. */
export function runActivity<T>(activity: () => Promise<T>, runId = 'one-run'): Promise<T> {
  const workflowExecution = { workflowId: 'experiment/test', runId };
  return new MockActivityEnvironment({ workflowExecution }, { logger: new DefaultLogger('ERROR') }).run(
    activity,
  );
}
