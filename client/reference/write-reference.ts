import { fileURLToPath } from 'node:url';

import writeFileAtomic from 'write-file-atomic';

import { createProgram } from '../cli/create-program.ts';
import { openExperiments } from '../experiments.ts';
import { describeCommands } from './command-tree.ts';
import { referenceMarkdown } from './reference-markdown.ts';

/** What `docs/cli.md` must hold. */
export function cliReference(): string {
  // No command is run: the tree alone is asked.
  const program = createProgram({
    env: {},
    cwd: '/',
    streams: process,
    signal: new AbortController().signal,
    openExperiments,
    program: 'hephaestus',
    exit: { code: 0 },
  });
  return referenceMarkdown(describeCommands(program));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFileAtomic(fileURLToPath(new URL('../../docs/cli.md', import.meta.url)), cliReference());
}
