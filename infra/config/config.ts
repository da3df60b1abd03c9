import type { ClientConnectConfig } from '@temporalio/envconfig';

import type { ExperimentPolicy } from '../../domain/experiment.ts';
import type {
  AgentLimits,
  GeminiSettings,
  GithubSettings,
  GitSettings,
  McpSettings,
  QizhiSettings,
  QwenSettings,
  ResourcesSettings,
  SharedDiskSettings,
  NotificationSettings,
  WandbSettings,
} from '../settings.ts';
import { ConfigError } from './config-error.ts';
import type { Zone } from './keys.ts';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** How Temporal is reached, by every zone. */
export interface TemporalSettings {
  /** host:port, for messages; the same as in `connectionOptions`. */
  readonly address: string;
  readonly namespace: string;
  /** For `Connection.connect` and for `NativeConnection.connect`. */
  readonly connectionOptions: ClientConnectConfig['connectionOptions'];
  /** Web UI, without a slash at the end. */
  readonly uiUrl: string;
  /** Not given: neither encrypted nor compared with the credentials of this process. */
  readonly payloads?: PayloadSettings;
}

/** What is done to payloads on their way to Temporal. */
export interface PayloadSettings {
  /** Absolute; null where they are not encrypted. */
  readonly keysFile: string | null;
  /**
   * Whether a text holds a credential that stands in this process's environment, which no payload may. A question and not
   * the credentials: a configuration holds none but those of its zones.
   */
  readonly holdsOwnSecret: (text: string) => boolean;
}

/** Clear text for the Web UI. */
export interface CodecSettings {
  readonly host: string;
  readonly port: number;
  /** Who knows it is answered. */
  readonly token: string;
}

export interface JanitorSettings {
  /** Between two visits; 0 for none but those that a person asks for. */
  readonly everyMinutes: number;
  /** How long a job may be without an owner before it is stopped. */
  readonly graceMinutes: number;
}

export interface MetricsSettings {
  readonly host: string;
  readonly port: number;
}

/** The page for people. */
export interface PageSettings {
  readonly host: string;
  readonly port: number;
  /** Who knows it may look; null where only the same machine can. */
  readonly token: string | null;
  /** Where people find it, for links in messages, without a slash at the end; null when it is not known. */
  readonly url: string | null;
}

export interface SyncSettings {
  /** Clients of W&B at one time; each takes about 135 MB. */
  readonly parallel: number;
  /** Between two sweeps for runs of nobody; 0 for none. */
  readonly everyMinutes: number;
}

export interface WebhookSettings {
  readonly secret: string;
  readonly host: string;
  readonly port: number;
}

/** The whole configuration, frozen. A section that the asked zones may not hold is null: see `section`. */
export interface Config {
  readonly zones: readonly Zone[];
  /** Absolute. */
  readonly home: string;
  readonly logLevel: LogLevel;
  readonly temporal: TemporalSettings;
  readonly policy: ExperimentPolicy;
  readonly qizhiPollSeconds: number;
  readonly janitor: JanitorSettings;
  /** Where this process tells its figures to Prometheus; null when it does not. */
  readonly metrics: MetricsSettings | null;
  /** Where traces go (OTLP over HTTP), without a slash at the end; null for none. */
  readonly tracesUrl: string | null;
  /** Null where nobody is to be told of anything. */
  readonly notifications: NotificationSettings | null;
  /** Only when the webhook server was asked for. */
  readonly page: PageSettings | null;
  /** An absolute folder, or the address of a git remote. */
  readonly vault: string | null;
  /** A file that lists what may be asked of the cluster; absolute; undefined where none is kept. */
  readonly resources: ResourcesSettings | null;
  readonly agents: AgentLimits | null;
  readonly gemini: GeminiSettings | null;
  readonly github: GithubSettings | null;
  readonly qizhi: QizhiSettings | null;
  /** Only when the codec server was asked for. */
  readonly codec: CodecSettings | null;
  /** Only when it was asked for. */
  readonly webhook: WebhookSettings | null;
  readonly sharedDisk: SharedDiskSettings | null;
  readonly git: GitSettings | null;
  readonly wandb: WandbSettings | null;
  readonly sync: SyncSettings | null;
  readonly qwen: QwenSettings | null;
  readonly mcp: McpSettings | null;
  /** `UV_*` and `PIP_INDEX_URL`, for the environment builder and nothing else. */
  readonly builderEnvironment: Readonly<Record<string, string>> | null;
}

export type ConfigSection = { [K in keyof Config]: null extends Config[K] ? K : never }[keyof Config];

/** A section that has to be there. Throws `ConfigError` when the zones of this configuration do not hold it. */
export function section<K extends ConfigSection>(config: Config, name: K): NonNullable<Config[K]> {
  const value = config[name];
  if (value !== null) return value;
  const held = config.zones.length === 0 ? 'no zone' : `zone ${config.zones.join(' and ')}`;
  throw new ConfigError([
    { key: name, found: `a configuration for ${held}`, expected: 'a zone that may hold it', todo: '' },
  ]);
}
