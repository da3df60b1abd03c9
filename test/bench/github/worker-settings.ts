/** The first message to a worker process of the bench; it answers `ready` once it polls its queues. */
export type WorkerSettings = {
  readonly address: string;
  readonly namespace: string;
  /** The workflows, bundled once for all processes. */
  readonly bundleFile: string;
  readonly github: {
    readonly apiUrl: string;
    readonly serverUrl: string;
    /** Pictures as attachments; without it they go to their branch. */
    readonly uploadsUrl?: string;
    readonly token: string;
  };
  readonly repository: string;
  /** The commit of each experiment, made beforehand, by its id. */
  readonly heads: Readonly<Record<string, string>>;
};
