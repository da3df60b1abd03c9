import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { execa } from 'execa';
import { inject } from 'vitest';

import type { CodingDeps } from '../../../activities/coding/coding-deps.ts';
import { createCodingActivities } from '../../../activities/coding/create-coding-activities.ts';
import type {
  Implementation,
  ImplementInput,
  PreparedSource,
  PrepareSourceInput,
} from '../../../activities/coding/interface.ts';
import { processEnvironment } from '../../../infra/env.ts';
import { exampleNote } from '../../support/example-note.ts';
import { qwenSettings, runActivity, startModels, temporaryFolder } from '../agents/models.ts';
import { type GitServer, seedRepository, startGitServer } from './git-server.ts';

export interface World {
  readonly deps: CodingDeps;
  readonly server: GitServer;
  /** The bare repository that the server serves. */
  readonly remote: string;
  readonly experiment: string;
  readonly source: string;
}

export const token = 'canary-push-token';

/** A git server, a shared disk, and model endpoints. */
export async function makeWorld(qwen?: readonly string[]): Promise<World> {
  const folder = await temporaryFolder();
  const [root, shared, scratchDir] = ['git', 'shared', 'scratch'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const path of [`${root}/lab`, shared, scratchDir]) await mkdir(path, { recursive: true });
  const remote = await seedRepository(root, folder);
  const server = await startGitServer(root, token);
  const experiment = join(shared, 'experiments', 'try-it');
  const deps: CodingDeps = {
    disk: { sharedDir: shared, jobSharedDir: shared },
    git: { serverUrl: server.url, pushToken: token },
    qwen: qwenSettings(await startModels()),
    limits: { maxTokens: Infinity },
    mcp: { server: null, token: '' },
    tools: { qwen: qwen ?? ['false'], python: inject('tools').python },
    scratchDir,
    environment: { ...processEnvironment(), GITHUB_TOKEN: 'canary-github' },
  };
  return { deps, server, remote, experiment, source: join(experiment, 'source') };
}

/** A shell script in Qwen Code's place: it does its work, then reports as Qwen Code would. */
function scriptedAgent(script: string): readonly string[] {
  const result = {
    type: 'result',
    is_error: false,
    structured_result: { summary: 'Did it.' },
    usage: { input_tokens: 1, output_tokens: 2 },
  };
  return ['sh', '-c', `set -e\n${script}\nprintf '%s\\n' '${JSON.stringify(result)}'`];
}

export const where = { experimentId: 'try-it', repository: 'lab/digits', base: 'main' };

export function implementInput(overrides: Partial<ImplementInput> = {}): ImplementInput {
  const note = exampleNote({ id: 'try-it' });
  return {
    experimentId: 'try-it',
    note,
    body: '## Why\n',
    round: 0,
    findings: [],
    instructions: null,
    ...overrides,
  };
}

/** One life is one run of the workflow. */
export function prepare(
  deps: CodingDeps,
  life = 'first',
  input: PrepareSourceInput = where,
): Promise<PreparedSource> {
  return runActivity(() => createCodingActivities(deps).prepareSource(input), life);
}

export function implement(deps: CodingDeps, input = implementInput()): Promise<Implementation> {
  return runActivity(() => createCodingActivities(deps).implementChange(input));
}

export function push(deps: CodingDeps, headSha: string): Promise<void> {
  const input = { experimentId: 'try-it', repository: 'lab/digits', headSha };
  return runActivity(() => createCodingActivities(deps).pushBranch(input));
}

export function withAgent(deps: CodingDeps, script: string): CodingDeps {
  return { ...deps, tools: { ...deps.tools, qwen: scriptedAgent(script) } };
}

export async function git(cwd: string, ...args: string[]): Promise<string> {
  return (await execa('git', args, { cwd })).stdout;
}
