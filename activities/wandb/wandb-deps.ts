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
  /** Only tests need other times than the usual ones. */
  readonly timing?: Partial<WandbTiming>;
}

/** All in ms. */
export interface WandbTiming {
  /** Wall-clock limit of one `wandb sync`. */
  readonly syncTimeoutMs: number;
  /** How long the server may take to show what it was sent; wandb.ai counts rows some seconds late. */
  readonly patienceMs: number;
  /** A run that is there already is looked at for this long, until its row count stands still. */
  readonly settleMs: number;
  /** Between two looks, at first; doubles up to five times this. */
  readonly pollMs: number;
}

export const usualTiming: WandbTiming = {
  syncTimeoutMs: 30 * 60_000,
  patienceMs: 60_000,
  settleMs: 8_000,
  pollMs: 1_000,
};
