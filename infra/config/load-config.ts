import { isAbsolute, join, resolve } from 'node:path';

import type { ExperimentPolicy } from '../../domain/experiment.ts';
import type { Environment } from '../env.ts';
import type { GithubSettings, SharedDiskSettings } from '../settings.ts';
import { readAgents, readMcp, readResources } from './agents.ts';
import { ConfigError, type ConfigProblem } from './config-error.ts';
import {
  logLevels,
  type Config,
  type JanitorSettings,
  type SyncSettings,
  type WebhookSettings,
} from './config.ts';
import { readGit, readGithub } from './github.ts';
import type { Zone } from './keys.ts';
import { readNotifications } from './notifications.ts';
import { readCodecServer, readPayloads } from './payloads.ts';
import { readQizhi } from './qizhi.ts';
import { createReader, given, type Reader } from './reader.ts';
import { readMetrics, readPage } from './sight.ts';
import { readTemporal } from './temporal.ts';
import { findUnknownKeys } from './unknown-keys.ts';

export interface LoadConfigOptions {
  readonly env: Environment;
  /** What this process serves; none for a command that only talks to Temporal. */
  readonly zones: readonly Zone[];
  /** Relative paths are taken from here. */
  readonly cwd: string;
  /** True for the webhook server: its secret is then required, and returned. */
  readonly webhook?: boolean;
  /** True for whoever shows the page for people; the webhook server does. */
  readonly page?: boolean;
  /** True for the codec server: its token and the file of keys are then required. */
  readonly codec?: boolean;
  /** True for the sync agent by itself: what it needs of W&B is then required, and returned, and nothing else of its zone. */
  readonly wandb?: boolean;
}

/**
 * The configuration from the environment: checked in whole, frozen, and restricted to what the zones may hold. The same
 * environment gives the same configuration.
 *
 * Throws `ConfigError` with every problem at once.
 */
export function loadConfig(options: LoadConfigOptions): Config {
  const { env, zones, cwd, webhook = false, page = webhook, codec = false, wandb = false } = options;
  const problems: ConfigProblem[] = findUnknownKeys(env);
  const reader = createReader(env, cwd, problems);
  const serves = (zone: Zone): boolean => zones.includes(zone);
  const home = resolve(cwd, reader.text('HEPHAESTUS_HOME') ?? '');
  const policy = readPolicy(reader);
  const config: Config = {
    zones: [...zones],
    home,
    logLevel: reader.oneOf('HEPHAESTUS_LOG_LEVEL', logLevels),
    temporal: { ...readTemporal(env, reader), payloads: readPayloads(env, cwd, reader) },
    policy,
    qizhiPollSeconds: policy.qizhiPollSeconds,
    janitor: readJanitor(reader),
    metrics: readMetrics(reader),
    tracesUrl: reader.url('OTEL_EXPORTER_OTLP_ENDPOINT') ?? null,
    notifications: serves('control') ? readNotifications(reader) : null,
    page: page ? readPage(reader) : null,
    codec: codec ? readCodecServer(reader) : null,
    webhook: webhook ? readWebhook(reader) : null,
    vault: serves('local') ? readVault(reader, home, cwd) : null,
    resources: serves('local') ? readResources(reader, cwd) : null,
    agents: serves('local') || serves('networked') ? readAgents(reader) : null,
    gemini: serves('local') ? readGemini(reader) : null,
    github: serves('control') ? readGithub(reader) : null,
    qizhi: serves('control') ? readQizhi(reader) : null,
    sharedDisk: serves('networked') ? readSharedDisk(reader, home, cwd) : null,
    git: serves('networked') ? readGit(reader, serves('control')) : null,
    wandb: wandb || serves('networked') ? readWandb(reader) : null,
    sync: wandb || serves('networked') ? readSync(reader) : null,
    qwen: serves('networked') ? readQwen(reader) : null,
    mcp: serves('networked') ? readMcp(reader) : null,
    builderEnvironment: serves('networked') ? readBuilderEnvironment(env) : null,
  };
  if (problems.length > 0) throw new ConfigError(problems);
  return freeze(config);
}

function readPolicy(reader: Reader): ExperimentPolicy {
  const seconds = { min: 0.1, max: 86_400 };
  const minutes = { min: 0, max: 43_200 };
  return {
    qizhiPollSeconds: reader.number('QIZHI_POLL_SECONDS', seconds),
    githubPollSeconds: reader.number('HEPHAESTUS_GITHUB_POLL_SECONDS', seconds),
    keepHeadTag: reader.flag('HEPHAESTUS_KEEP_HEAD_TAG'),
    maxRepairs: reader.number('HEPHAESTUS_MAX_REPAIRS', { min: 0, max: 20, whole: true }),
    reviewDeadlineMinutes: reader.number('HEPHAESTUS_REVIEW_DEADLINE_MINUTES', minutes),
    pullRequestBy: reader.oneOf('HEPHAESTUS_PULL_REQUEST_BY', ['hephaestus', 'qwen']),
    requiredChecks: reader.list('HEPHAESTUS_REQUIRED_CHECKS'),
    requireCopilot: reader.flag('HEPHAESTUS_REQUIRE_COPILOT'),
    unknownDeadlineMinutes: reader.number('HEPHAESTUS_UNKNOWN_DEADLINE_MINUTES', minutes),
  };
}

function readJanitor(reader: Reader): JanitorSettings {
  return {
    everyMinutes: reader.number('HEPHAESTUS_JANITOR_MINUTES', { min: 0, max: 10_080, whole: true }),
    graceMinutes: reader.number('HEPHAESTUS_JANITOR_GRACE_MINUTES', { min: 1, max: 43_200 }),
  };
}

function readWebhook(reader: Reader): WebhookSettings {
  return {
    secret: reader.required('GITHUB_WEBHOOK_SECRET', 'set the secret that the webhook has on GitHub'),
    host: reader.text('HEPHAESTUS_WEBHOOK_HOST') ?? '',
    port: reader.number('HEPHAESTUS_WEBHOOK_PORT', { min: 0, max: 65_535, whole: true }),
  };
}

function readVault(reader: Reader, home: string, cwd: string): string {
  const value = reader.text('HEPHAESTUS_VAULT') ?? join(home, 'vault');
  const isRemote = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) || /^[\w.-]+@[\w.-]+:/.test(value);
  return isRemote ? value : resolve(cwd, value);
}

export function readGemini(reader: Reader): NonNullable<Config['gemini']> {
  return {
    apiKey: reader.required('GEMINI_API_KEY', 'Gemini CLI plans experiments with it'),
    model: reader.text('GEMINI_MODEL'),
    baseUrl: reader.url('GOOGLE_GEMINI_BASE_URL'),
  };
}

/** For commands that ask GitHub alone. Throws `ConfigError` with every problem at once. */
export function loadGithubConfig({ env, cwd }: Pick<LoadConfigOptions, 'env' | 'cwd'>): GithubSettings {
  const problems: ConfigProblem[] = findUnknownKeys(env);
  const settings = readGithub(createReader(env, cwd, problems));
  if (problems.length > 0) throw new ConfigError(problems);
  return freeze(settings);
}

/** What is asked of the environment when only the shared disk is touched: no credential of any zone. */
export interface DiskConfig {
  readonly sharedDisk: SharedDiskSettings;
  /** `UV_*` and `PIP_INDEX_URL`, for the environment builder and nothing else. */
  readonly builderEnvironment: Readonly<Record<string, string>>;
}

/** For commands that work on the shared disk alone. Throws `ConfigError` with every problem at once. */
export function loadDiskConfig({ env, cwd }: Pick<LoadConfigOptions, 'env' | 'cwd'>): DiskConfig {
  const problems: ConfigProblem[] = findUnknownKeys(env);
  const reader = createReader(env, cwd, problems);
  const home = resolve(cwd, reader.text('HEPHAESTUS_HOME') ?? '');
  const config = {
    sharedDisk: readSharedDisk(reader, home, cwd),
    builderEnvironment: readBuilderEnvironment(env),
  };
  if (problems.length > 0) throw new ConfigError(problems);
  return freeze(config);
}

/** What is asked of the environment when only the notes are read: no credential of any zone. */
export interface VaultConfig {
  readonly home: string;
  readonly vault: string;
}

/** For commands that only read the vault. Throws `ConfigError` with every problem at once. */
export function loadVaultConfig({ env, cwd }: Pick<LoadConfigOptions, 'env' | 'cwd'>): VaultConfig {
  const problems: ConfigProblem[] = findUnknownKeys(env);
  const reader = createReader(env, cwd, problems);
  const home = resolve(cwd, reader.text('HEPHAESTUS_HOME') ?? '');
  const config = { home, vault: readVault(reader, home, cwd) };
  if (problems.length > 0) throw new ConfigError(problems);
  return freeze(config);
}

export function readSharedDisk(reader: Reader, home: string, cwd: string): SharedDiskSettings {
  const sharedDir = resolve(cwd, reader.text('HEPHAESTUS_SHARED_DIR') ?? join(home, 'shared'));
  const jobSharedDir = reader.text('HEPHAESTUS_JOB_SHARED_DIR') ?? sharedDir;
  if (!isAbsolute(jobSharedDir)) {
    const problem = { key: 'HEPHAESTUS_JOB_SHARED_DIR', found: JSON.stringify(jobSharedDir) };
    const todo = 'give the folder where a job sees the shared disk';
    reader.complain({ ...problem, expected: 'an absolute path', todo });
  }
  return { sharedDir, jobSharedDir };
}

export function readWandb(reader: Reader): NonNullable<Config['wandb']> {
  return {
    baseUrl: reader.url('WANDB_BASE_URL') ?? '',
    apiKey: reader.required('WANDB_API_KEY', 'copy it from the settings page of your W&B account'),
    entity: reader.text('WANDB_ENTITY'),
    project: reader.text('WANDB_PROJECT'),
  };
}

function readSync(reader: Reader): SyncSettings {
  return {
    parallel: reader.number('HEPHAESTUS_SYNC_PARALLEL', { min: 1, max: 64, whole: true }),
    everyMinutes: reader.number('HEPHAESTUS_SWEEP_MINUTES', { min: 0, max: 10_080, whole: true }),
  };
}

export function readQwen(reader: Reader): NonNullable<Config['qwen']> {
  return {
    apiKey: reader.required('OPENAI_API_KEY', 'Qwen Code writes the code with it'),
    model: reader.text('OPENAI_MODEL'),
    baseUrl: reader.url('OPENAI_BASE_URL'),
  };
}

function readBuilderEnvironment(env: Environment): Record<string, string> {
  const names = Object.keys(env).filter((name) => name.startsWith('UV_') || name === 'PIP_INDEX_URL');
  return Object.fromEntries(names.map((name) => [name, given(env, name) ?? '']).filter(([, value]) => value));
}

function freeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === 'object' && inner !== null && !ArrayBuffer.isView(inner)) freeze(inner as object);
  }
  return Object.freeze(value);
}
