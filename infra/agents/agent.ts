/** One prompt of a session. */
export interface AgentTurn {
  readonly prompt: string;
  /** A UUID; new for the first turn, the same for every later one. */
  readonly sessionId: string;
  /** True for every turn of a session but the first. */
  readonly resume: boolean;
  /** The session's private home folder. */
  readonly home: string;
  readonly wallClockMs: number;
}

/** Tokens that a model took; what came from a cache is part of the input. */
export interface ModelTokens {
  /** '' where the agent does not name it. */
  readonly model: string;
  readonly input: number;
  readonly output: number;
}

/** What one line of an agent's event stream means. */
export type AgentEvent =
  | { readonly kind: 'text'; readonly text: string; readonly spent?: ModelTokens | undefined }
  | { readonly kind: 'tool'; readonly name: string; readonly spent?: ModelTokens | undefined }
  | {
      readonly kind: 'result';
      readonly ok: boolean;
      /** The closing words; null when they came as `text` events. */
      readonly text: string | null;
      /** The report, where the agent was given a schema for one. */
      readonly structured: unknown;
      /** The agent's own words on what went wrong; '' when all went well. */
      readonly message: string;
      /** Of the whole run. */
      readonly usage: readonly ModelTokens[];
    }
  | { readonly kind: 'other' };

/**
 * Everything that differs between agents. One more agent is one more file that describes it by one of these; starting,
 * watching, limiting, masking, ending and judging it is the same for all (`runAgent`, `withAgentSession`).
 */
export interface Agent {
  readonly name: string;
  /** The model that it is told to use. */
  readonly model: string;
  /** The program and its first arguments. */
  readonly argv: readonly string[];
  /** Files of the private home, by path inside it. */
  readonly files: Readonly<Record<string, string>>;
  readonly arguments: (turn: AgentTurn) => readonly string[];
  /** Added to the allowed part of the worker's environment. */
  readonly environment: (home: string) => Readonly<Record<string, string>>;
  readonly readEvent: (event: unknown) => AgentEvent;
  /** HTTP status that the model's endpoint answered with, as far as the agent lets one know; null when it does not. */
  readonly statusOf: (exitCode: number | null, message: string) => number | null;
  /** What the agent's own exit codes mean; null for codes without a meaning of their own. */
  readonly explainExit: (exitCode: number | null) => string | null;
  /** A cheap question that shows whether the endpoint is there and takes the key. */
  readonly probe: { readonly url: string; readonly headers: Readonly<Record<string, string>> };
  /** Never to be seen in a transcript, a log or a message. */
  readonly secrets: readonly string[];
}
