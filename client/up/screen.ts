import { WriteStream } from 'node:tty';

import { createLogUpdate } from 'log-update';

import type { Environment } from '../../infra/env.ts';
import type { Streams } from '../cli/output.ts';

/** A terminal whose last lines are drawn again and again. */
export interface Screen {
  readonly columns: () => number;
  readonly rows: () => number;
  draw(lines: readonly string[]): void;
  /** Leaves what was drawn last; what is written from now on comes below it. */
  leave(): void;
}

/** null where nobody could look at a moving screen. */
export function openScreen({ stdout }: Streams, env: Environment): Screen | null {
  if (!(stdout instanceof WriteStream) || env['TERM'] === 'dumb') return null;
  // Hiding the cursor would install a listener that ends the process at the first Ctrl-C.
  const update = createLogUpdate(stdout, { showCursor: true });
  return {
    columns: () => stdout.columns,
    rows: () => stdout.rows,
    draw: (lines) => update(lines.slice(0, stdout.rows - 1).join('\n')),
    leave: () => update.done(),
  };
}
