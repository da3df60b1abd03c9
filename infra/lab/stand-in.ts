/** One stand-in of the outside world, listening on a free port of the loopback. */
export interface StandIn {
  readonly name: 'github' | 'qizhi' | 'wandb' | 'models';
  /** Address without a slash at the end; its root is a page for people. */
  readonly url: string;
  /** The settings (environment variables) that point the product at it. */
  readonly settings: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

export interface StandInOptions {
  /** Keeps the state here; started again on the same folder, it goes on where it was. */
  readonly directory: string;
  /** A free one is taken when it is not given. */
  readonly port?: number;
}
