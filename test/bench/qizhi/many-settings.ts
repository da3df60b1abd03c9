/** The first message to the worker process of `many`. */
export type ManySettings = {
  readonly address: string;
  readonly namespace: string;
  readonly bundleFile: string;
  /** Between two looks of one witness at one job. */
  readonly pollSeconds: number;
};

/** What happened since the last measure, but `created`, which counts from the start. Latency: schedule to start. */
export type ManyMeasure = {
  readonly created: number;
  readonly polls: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly worstMs: number;
};
