/** The first message to a worker process of the bench; it answers `ready` once it polls its queues. */
export type WorkerSettings = {
  readonly zone: 'control' | 'networked';
  readonly address: string;
  readonly namespace: string;
  /** The workflows, bundled once for all processes. */
  readonly bundleFile: string;
  readonly sharedDir: string;
  readonly qizhi: {
    readonly baseUrl: string;
    readonly username: string;
    readonly password: string;
    readonly requestsPerSecond: number;
  };
};
