import { join } from 'node:path';

import type { TestProject } from 'vitest/node';

import { processEnvironment } from '../../infra/env.ts';
import { ensureTools, type Tools } from '../../infra/tools/ensure-tools.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The outside programs, installed: `inject('tools')`. */
    tools: Tools;
  }
}

/** Runs once before all tests: the tools that they need stand in `.tools/` afterwards. */
export default async function setup(project: TestProject): Promise<void> {
  const tools = await ensureTools({
    root: join(import.meta.dirname, '..', '..', '.tools'),
    environment: processEnvironment(),
    log: (line) => console.error(line),
  });
  project.provide('tools', tools);
}
