import type { QizhiSettings } from '../../../infra/settings.ts';

/** The first message to a worker process of the bench; it answers `ready` once it polls its queues. */
export type WorkerSettings = {
  readonly zone: 'control' | 'networked';
  readonly address: string;
  readonly namespace: string;
  /** The workflows, bundled once for all processes. */
  readonly bundleFile: string;
  readonly sharedDir: string;
  readonly qizhi: Omit<QizhiSettings, 'proxy'>;
  /** Keeps to the pace of the product; otherwise the process asks as fast as it can, so that much happens in little time. */
  readonly paced: boolean;
};
