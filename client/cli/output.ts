import picocolors from 'picocolors';

import type { Environment } from '../../infra/env.ts';

/** Where text goes; `process.stdout` and `process.stderr` fit. */
interface TextStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

export interface Streams {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
}

export type Colours = ReturnType<typeof picocolors.createColors>;

/**
 * Everything that a command prints. People's text goes to standard output, or to standard error when the command was
 * asked for JSON: standard output then carries one JSON document and nothing else.
 */
export interface Output {
  readonly json: boolean;
  readonly colours: Colours;
  /** A line for people. */
  say(line: string): void;
  /** A line for people that is no answer: always standard error. */
  warn(line: string): void;
  /** The one answer: printed as JSON where that was asked for, else as the lines. */
  answer(document: object, lines: readonly string[]): void;
  /** A line that the next one replaces, on a terminal; elsewhere nothing. */
  progress(line: string): void;
}

const clearLine = '\r\u001B[2K';

/** Colour and moving lines only where a person looks, and `NO_COLOR` was not set. */
export function createOutput(streams: Streams, env: Environment, json: boolean): Output {
  const people = json ? streams.stderr : streams.stdout;
  const isTerminal = people.isTTY === true && env['TERM'] !== 'dumb';
  const colours = picocolors.createColors(isTerminal && (env['NO_COLOR'] ?? '') === '');
  let moving = false;
  const settle = (): string => {
    const clear = moving ? clearLine : '';
    moving = false;
    return clear;
  };
  return {
    json,
    colours,
    say: (line) => void people.write(`${settle()}${line}\n`),
    warn(line) {
      if (moving) people.write(settle());
      streams.stderr.write(`${line}\n`);
    },
    answer(document, lines) {
      if (moving) people.write(settle());
      if (json) streams.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
      else if (lines.length > 0) streams.stdout.write(`${lines.join('\n')}\n`);
    },
    progress(line) {
      if (!isTerminal) return;
      people.write(`${clearLine}${line}`);
      moving = true;
    },
  };
}
