/** The zones that a worker can serve; no worker runs in the offline zone. */
export const zones = ['local', 'control', 'networked'] as const;
export type Zone = (typeof zones)[number];

/** One environment variable that Hephaestus reads. */
export interface KeyDefinition {
  /** Which zones read it. A credential may be held by these zones and by no others. */
  readonly zones: readonly Zone[];
  /** Written as in the environment. */
  readonly fallback?: string;
  /**
   * `credential`: opens a door, so only its zones may hold it; may be given as `<KEY>_FILE`.
   * `private`: may contain a password, so it is never printed.
   */
  readonly secrecy?: 'credential' | 'private';
}

/** Every key, its zones and its default: the one place where a default stands. */
const keys = {
  HEPHAESTUS_HOME: { zones, fallback: '.hephaestus' },
  HEPHAESTUS_SHARED_DIR: { zones: ['networked'] },
  HEPHAESTUS_JOB_SHARED_DIR: { zones: ['networked'] },
  HEPHAESTUS_VAULT: { zones: ['local'] },
  HEPHAESTUS_RESOURCES: { zones: ['local'] },
  HEPHAESTUS_LOG_LEVEL: { zones, fallback: 'info' },

  TEMPORAL_ADDRESS: { zones, fallback: '127.0.0.1:7233' },
  TEMPORAL_NAMESPACE: { zones, fallback: 'default' },
  TEMPORAL_API_KEY: { zones, secrecy: 'credential' },
  HEPHAESTUS_TEMPORAL_UI_URL: { zones, fallback: 'http://127.0.0.1:8233' },
  HEPHAESTUS_PAYLOAD_KEYS_FILE: { zones },
  HEPHAESTUS_METRICS_HOST: { zones, fallback: '127.0.0.1' },
  HEPHAESTUS_METRICS_PORT: { zones },
  OTEL_EXPORTER_OTLP_ENDPOINT: { zones },

  GITHUB_API_URL: { zones: ['control'], fallback: 'https://api.github.com' },
  GITHUB_SERVER_URL: { zones: ['control', 'networked'], fallback: 'https://github.com' },
  GITHUB_UPLOADS_URL: { zones: ['control'] },
  GITHUB_TOKEN: { zones: ['control'], secrecy: 'credential' },
  GITHUB_APP_ID: { zones: ['control'] },
  GITHUB_APP_PRIVATE_KEY: { zones: ['control'], secrecy: 'credential' },
  GITHUB_APP_INSTALLATION_ID: { zones: ['control'] },
  GITHUB_PUSH_TOKEN: { zones: ['networked'], secrecy: 'credential' },
  GITHUB_WEBHOOK_SECRET: { zones: ['control'], secrecy: 'credential' },
  HEPHAESTUS_WEBHOOK_HOST: { zones: ['control'], fallback: '127.0.0.1' },
  HEPHAESTUS_WEBHOOK_PORT: { zones: ['control'], fallback: '8787' },
  HEPHAESTUS_PAGE_HOST: { zones: ['control'], fallback: '127.0.0.1' },
  HEPHAESTUS_PAGE_PORT: { zones: ['control'], fallback: '8788' },
  HEPHAESTUS_PAGE_TOKEN: { zones: ['control'], secrecy: 'credential' },
  HEPHAESTUS_PAGE_URL: { zones: ['control'] },
  HEPHAESTUS_CODEC_HOST: { zones: ['control'], fallback: '127.0.0.1' },
  HEPHAESTUS_CODEC_PORT: { zones: ['control'], fallback: '8789' },
  HEPHAESTUS_CODEC_TOKEN: { zones: ['control'], secrecy: 'credential' },

  QIZHI_BASE_URL: { zones: ['control'], fallback: 'https://qz.sii.edu.cn' },
  QIZHI_API: { zones: ['control'], fallback: 'openapi' },
  QIZHI_USERNAME: { zones: ['control'] },
  QIZHI_PASSWORD: { zones: ['control'], secrecy: 'credential' },
  QIZHI_V2_CREDENTIAL: { zones: ['control'], fallback: 'login' },
  QIZHI_ACCESS_TOKEN: { zones: ['control'], secrecy: 'credential' },
  QIZHI_SESSION_COOKIE: { zones: ['control'], secrecy: 'credential' },
  QIZHI_CLIENT_SOURCE: { zones: ['control'], fallback: 'hephaestus' },
  QIZHI_REQUESTS_PER_SECOND: { zones: ['control'], fallback: '2' },
  QIZHI_PROXY: { zones: ['control'], secrecy: 'private' },

  HEPHAESTUS_JANITOR_MINUTES: { zones: ['control'], fallback: '60' },
  HEPHAESTUS_JANITOR_GRACE_MINUTES: { zones, fallback: '30' },

  HEPHAESTUS_NOTIFY_SECONDS: { zones: ['control'], fallback: '30' },
  HEPHAESTUS_NOTIFY_EMAIL_TO: { zones: ['control'] },
  HEPHAESTUS_NOTIFY_EMAIL_FROM: { zones: ['control'] },
  HEPHAESTUS_SMTP_URL: { zones: ['control'], secrecy: 'credential' },
  HEPHAESTUS_NOTIFY_FEISHU_URL: { zones: ['control'], secrecy: 'credential' },
  HEPHAESTUS_NOTIFY_FEISHU_SECRET: { zones: ['control'], secrecy: 'credential' },
  HEPHAESTUS_NOTIFY_DINGTALK_URL: { zones: ['control'], secrecy: 'credential' },
  HEPHAESTUS_NOTIFY_DINGTALK_SECRET: { zones: ['control'], secrecy: 'credential' },
  HEPHAESTUS_NOTIFY_SLACK_URL: { zones: ['control'], secrecy: 'credential' },
  HEPHAESTUS_NOTIFY_WEBHOOK_URL: { zones: ['control'], secrecy: 'credential' },
  HEPHAESTUS_NOTIFY_WEBHOOK_SECRET: { zones: ['control'], secrecy: 'credential' },
  HEPHAESTUS_NOTIFY_QUIET: { zones: ['control'] },
  HEPHAESTUS_NOTIFY_DIGEST: { zones: ['control'] },
  HEPHAESTUS_NOTIFY_TIME_ZONE: { zones: ['control'], fallback: 'UTC' },

  WANDB_BASE_URL: { zones: ['networked'], fallback: 'https://api.wandb.ai' },
  WANDB_API_KEY: { zones: ['networked'], secrecy: 'credential' },
  WANDB_ENTITY: { zones: ['networked'] },
  WANDB_PROJECT: { zones: ['networked'] },
  HEPHAESTUS_SYNC_PARALLEL: { zones: ['networked'], fallback: '4' },
  HEPHAESTUS_SWEEP_MINUTES: { zones: ['networked'], fallback: '10' },

  GEMINI_API_KEY: { zones: ['local'], secrecy: 'credential' },
  GEMINI_MODEL: { zones: ['local'] },
  GOOGLE_GEMINI_BASE_URL: { zones: ['local'] },

  OPENAI_API_KEY: { zones: ['networked'], secrecy: 'credential' },
  OPENAI_MODEL: { zones: ['networked'] },
  OPENAI_BASE_URL: { zones: ['networked'] },
  GITHUB_MCP_SERVER: { zones: ['networked'] },
  GITHUB_MCP_TOKEN: { zones: ['networked'], secrecy: 'credential' },
  PIP_INDEX_URL: { zones: ['networked'], secrecy: 'private' },

  HEPHAESTUS_AGENT_MAX_TOKENS: { zones: ['local', 'networked'], fallback: '5000000' },

  // How an experiment goes about its way: read when one is started, kept with it until its end.
  QIZHI_POLL_SECONDS: { zones, fallback: '30' },
  HEPHAESTUS_GITHUB_POLL_SECONDS: { zones, fallback: '60' },
  HEPHAESTUS_REQUIRED_CHECKS: { zones, fallback: '' },
  HEPHAESTUS_REQUIRE_COPILOT: { zones, fallback: 'true' },
  HEPHAESTUS_REVIEW_DEADLINE_MINUTES: { zones, fallback: '30' },
  HEPHAESTUS_PULL_REQUEST_BY: { zones, fallback: 'hephaestus' },
  HEPHAESTUS_MAX_REPAIRS: { zones, fallback: '2' },
  HEPHAESTUS_KEEP_HEAD_TAG: { zones, fallback: 'false' },
  HEPHAESTUS_UNKNOWN_DEADLINE_MINUTES: { zones, fallback: '30' },
} as const satisfies Record<string, KeyDefinition>;

export type Key = keyof typeof keys;

/** Set by Hephaestus for a job, so it may stand in the environment of a shell inside one. */
export const jobKeys: ReadonlySet<string> = new Set([
  'HEPHAESTUS_EXPERIMENT',
  'HEPHAESTUS_ATTEMPT',
  'HEPHAESTUS_SEED',
]);

/** The definition with every field, also those that this key does not have. */
export function definitionOf(key: Key): KeyDefinition {
  return keys[key];
}

/** All keys, in the order in which they are written above. */
export function allKeys(): readonly Key[] {
  return Object.keys(keys) as Key[];
}
