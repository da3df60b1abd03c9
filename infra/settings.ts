/** What each client needs to reach its outside system; `infra/config/` fills these from the environment, by zone. */

export interface GithubSettings {
  /** Without a slash at the end, for example https://api.github.com */
  readonly apiUrl: string;
  /** Where people look and git clones from, for example https://github.com */
  readonly serverUrl: string;
  /** Where pictures for comments are uploaded, for example https://uploads.github.com; not given where the server has none. */
  readonly uploadsUrl?: string | undefined;
  /** Of a person or a machine user. There is this or `app`, or both. */
  readonly token?: string | undefined;
  readonly app?: GithubAppSettings | undefined;
}

/** A GitHub App in one of its installations. */
export interface GithubAppSettings {
  readonly id: number;
  /** PEM. */
  readonly privateKey: string;
  readonly installationId: number;
}

/** For the networked zone: git over HTTP, nothing of the API. */
export interface GitSettings {
  readonly serverUrl: string;
  readonly pushToken: string;
}

export interface QizhiSettings {
  readonly baseUrl: string;
  /** Which of the platform's surfaces is asked: `/openapi/v1` or `/api/v2`. */
  readonly api: 'openapi' | 'v2';
  readonly credential: QizhiCredential;
  /** How this program names itself to `/api/v2`. */
  readonly clientSource: string;
  /** http, https or socks5 address, for this host alone. */
  readonly proxy: string | undefined;
  /** The most that this process ever sends, logins included. */
  readonly requestsPerSecond: number;
}

/** `token` and `cookie` are made and renewed by somebody else; `file`: where they are read again, absolute. */
export type QizhiCredential =
  | { readonly kind: 'login'; readonly username: string; readonly password: string }
  | { readonly kind: 'token' | 'cookie'; readonly value: string; readonly file: string | undefined };

export interface WandbSettings {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly entity: string | undefined;
  readonly project: string | undefined;
}

/** What an agent may take for one task. */
export interface AgentLimits {
  /** Infinity for no limit. */
  readonly maxTokens: number;
}

export interface GeminiSettings {
  readonly apiKey: string;
  readonly model: string | undefined;
  readonly baseUrl: string | undefined;
}

/** GitHub's MCP server, for whoever lets the coding agent open the pull request itself. */
export interface McpSettings {
  /** A program with its arguments, or an address; null where there is none. */
  readonly server: { readonly command: readonly [string, ...string[]] } | { readonly url: string } | null;
  /** '' where there is none. */
  readonly token: string;
}

export interface ResourcesSettings {
  readonly file: string | undefined;
}

export interface QwenSettings {
  readonly apiKey: string;
  readonly model: string | undefined;
  readonly baseUrl: string | undefined;
}

/** The shared disk as this zone and as the job sees it; absolute paths. */
export interface SharedDiskSettings {
  readonly sharedDir: string;
  readonly jobSharedDir: string;
}

/** Where and when a person is told that something waits for them, or has ended. */
export interface NotificationSettings {
  readonly channels: readonly NotificationChannel[];
  readonly lookSeconds: number;
  readonly times: NotificationTimes;
  /** The page for people, without a slash at the end; null when it is not known. */
  readonly pageUrl: string | null;
}

/** Times of the day as minutes since midnight, in a time zone of the IANA list. */
export interface NotificationTimes {
  readonly timeZone: string;
  /** From (included) until (excluded) nothing is sent; it may go over midnight. */
  readonly quiet: { readonly from: number; readonly until: number } | null;
  /** When the endings of the day are told, all in one message; null: each at once. */
  readonly digest: number | null;
}

export type NotificationChannel =
  | {
      readonly kind: 'email';
      readonly to: readonly string[];
      readonly from: string;
      /** smtp:// or smtps://, with user and password in it where the server wants them. */
      readonly smtpUrl: string;
    }
  | {
      readonly kind: 'feishu' | 'dingtalk' | 'slack' | 'webhook';
      readonly url: string;
      /** What the receiver proves the sender by; null where it wants none. */
      readonly secret: string | null;
    };
