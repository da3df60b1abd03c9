import { Writable } from 'node:stream';

import { createStream } from 'rotating-file-stream';

/** One file, and the one before it, of this size each. */
const size = '10M';

/**
 * Appends what a service says to `<name>.log` in the folder, for its owner alone. A file that cannot be written (a full
 * disk) is told once and stops nothing: the service matters more than its log.
 */
export function openServiceLog(folder: string, name: string, tell: (line: string) => void): Writable {
  const file = createStream(`${name}.log`, { path: folder, size, maxFiles: 1, mode: 0o600 });
  let broken = false;
  file.on('error', (error) => {
    if (!broken)
      tell(`${name}.log in ${folder} cannot be written (${error.message}); ${name} goes on without it.`);
    broken = true;
  });
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (!broken) file.write(chunk);
      done();
    },
    final(done) {
      if (broken) done();
      else file.end(() => done());
    },
  });
}
