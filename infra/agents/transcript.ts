import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

export interface Transcript {
  write(line: string): void;
  /** Puts on disk what was written; once for many lines, since each time costs the whole worker a moment. */
  flush(): void;
  close(): void;
}

const maxBytes = 16 * 1024 * 1024;

/** A file of lines, readable by its owner alone, each line masked before it is written. */
export function openTranscript(file: string, mask: (text: string) => string): Transcript {
  mkdirSync(dirname(file), { recursive: true });
  const descriptor = openSync(file, 'a', 0o600);
  let bytes = 0;
  let waiting: string[] = [];
  const flush = (): void => {
    if (waiting.length > 0) writeSync(descriptor, waiting.join(''));
    waiting = [];
  };
  return {
    write(line) {
      if (bytes > maxBytes) return;
      const text = `${mask(line)}\n`;
      bytes += Buffer.byteLength(text);
      waiting.push(bytes > maxBytes ? '{"type":"cut"}\n' : text);
    },
    flush,
    close() {
      try {
        flush();
      } finally {
        closeSync(descriptor);
      }
    },
  };
}
