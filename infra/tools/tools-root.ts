import { homedir } from 'node:os';
import { extname, join } from 'node:path';

import type { Environment } from '../env.ts';

/**
 * The folder that the outside programs are installed into: `.tools` of a checkout; for an installed package, whose own
 * folder may belong to root and is replaced by an upgrade, a folder of the user's cache.
 */
export function toolsRoot(environment: Environment): string {
  // The package holds JavaScript that was built from these sources.
  if (extname(import.meta.filename) === '.ts') return join(import.meta.dirname, '..', '..', '.tools');
  return userToolsRoot(environment);
}

/** `$XDG_CACHE_HOME/hephaestus/tools`, with the default that the XDG specification gives. */
export function userToolsRoot({ XDG_CACHE_HOME: cache, HOME: home }: Environment): string {
  const base = cache !== undefined && cache.startsWith('/') ? cache : join(home ?? homedir(), '.cache');
  return join(base, 'hephaestus', 'tools');
}
