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
  #rest: string[] = [];
  #restLength = 0;
  #total = 0;

  constructor(limits: LineLimits, onLine: (line: string) => void) {
    this.#limits = limits;
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    this.#total += chunk.length;
    if (this.#total > this.#limits.totalBytes) throw this.#tooMuch('in all', this.#limits.totalBytes);
    const [first = '', ...lines] = this.#decoder.write(chunk).split('\n');
    // The pieces of a long line are put together once, at its end.
    this.#rest.push(first);
    this.#restLength += first.length;
    if (this.#restLength > this.#limits.lineBytes) throw this.#tooMuch('in one line', this.#limits.lineBytes);
    if (lines.length === 0) return;
    const last = lines.pop() ?? '';
    this.#emit(this.#takeRest());
    for (const line of lines) this.#emit(line);
    this.#rest = [last];
    this.#restLength = last.length;
  }

  end(): void {
    this.#emit(this.#takeRest() + this.#decoder.end());
  }

  #takeRest(): string {
    const text = this.#rest.join('');
    this.#rest = [];
    this.#restLength = 0;
    return text;
  }

  #emit(line: string): void {
    const trimmed = line.trim();
    if (trimmed !== '') this.#onLine(trimmed);
  }

  #tooMuch(where: string, bytes: number): Failure {
    return new Failure('AgentFailed', `the agent printed more than ${bytes} bytes ${where} and was stopped`);
  }
}
