import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One call of a model, for people and for tests. */
export interface ModelCall {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly protocol: 'gemini' | 'openai';
  readonly role: string;
  readonly experimentId: string;
  readonly turn: number;
  readonly results: number;
  /** What was answered, in a few words. */
  readonly answer: string;
  readonly prompt: string;
}

export interface CallLog {
  add(call: ModelCall): void;
  list(): readonly ModelCall[];
}

/** Every call is one line of `calls.jsonl`; a line cut short by a crash is left out when it is read again. */
export function openCallLog(directory: string): CallLog {
  const file = join(directory, 'calls.jsonl');
  const calls = existsSync(file) ? readFileSync(file, 'utf8').split('\n').flatMap(readCall) : [];
  if (existsSync(file) && !readFileSync(file, 'utf8').endsWith('\n')) appendFileSync(file, '\n');
  return {
    add(call) {
      calls.push(call);
      appendFileSync(file, `${JSON.stringify(call)}\n`);
    },
    list: () => calls,
  };
}

function readCall(line: string): ModelCall[] {
  if (!line.startsWith('{') || !line.endsWith('}')) return [];
  return [JSON.parse(line) as ModelCall];
}
