import { StringDecoder } from 'node:string_decoder';

import { Failure } from '../failure.ts';

export interface LineLimits {
  readonly lineBytes: number;
  readonly totalBytes: number;
}

/** Cuts a stream of bytes into lines as they come; a model that never stops talking ends in `AgentFailed`. */
export class LineSplitter {
  readonly #limits: LineLimits;
  readonly #onLine: (line: string) => void;
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';
  #total = 0;

  constructor(limits: LineLimits, onLine: (line: string) => void) {
    this.#limits = limits;
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    this.#total += chunk.length;
    if (this.#total > this.#limits.totalBytes) throw this.#tooMuch('in all', this.#limits.totalBytes);
    const lines = (this.#rest + this.#decoder.write(chunk)).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > this.#limits.lineBytes)
      throw this.#tooMuch('in one line', this.#limits.lineBytes);
    for (const line of lines) this.#emit(line);
  }

  end(): void {
    this.#emit(this.#rest + this.#decoder.end());
    this.#rest = '';
  }

  #emit(line: string): void {
    const trimmed = line.trim();
    if (trimmed !== '') this.#onLine(trimmed);
  }

  #tooMuch(where: string, bytes: number): Failure {
    return new Failure('AgentFailed', `the agent printed more than ${bytes} bytes ${where} and was stopped`);
  }
}
