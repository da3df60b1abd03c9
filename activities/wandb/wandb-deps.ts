import type { SharedDiskSettings, WandbSettings } from '../../infra/settings.ts';
import type { WandbClient } from '../../infra/wandb/wandb-client.ts';

export interface WandbDeps {
  readonly disk: SharedDiskSettings;
  readonly wandb: WandbClient;
  readonly settings: WandbSettings;
  /** What starts `wandb sync`, for example `['/usr/bin/wandb', 'sync']`. */
  readonly syncCommand: readonly string[];
  /** All that `wandb sync` sees of this process's environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** A folder of this machine for what was learnt about runs; may be deleted at any time. The temporary folder when it is not given. */
  readonly indexDir?: string;
  /** Clients at one time; each takes about 135 MB. */
  readonly parallel?: number;
  /** Only tests need other times than the usual ones. */
  readonly timing?: Partial<WandbTiming>;
}

/** All in ms. */
export interface WandbTiming {
  /** Wall-clock limit of one `wandb sync`. */
  readonly syncTimeoutMs: number;
  /** How long the server may take to show what it was sent; wandb.ai counts rows some seconds late. */
  readonly patienceMs: number;
  /** Between two looks, at first; doubles up to five times this. */
  readonly pollMs: number;
  /** A run of nobody whose log has not moved for so long has ended, whatever it says. */
  readonly silentMs: number;
}

export const usualTiming: WandbTiming = {
  syncTimeoutMs: 30 * 60_000,
  patienceMs: 60_000,
  pollMs: 1_000,
  silentMs: 60 * 60_000,
};

export const usualParallel = 4;
