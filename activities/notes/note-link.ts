import { posix } from 'node:path';

import { text } from '../../infra/templates/markdown-filters.ts';

/**
 * A link to a note of the vault, as it stands in the note `from` (a path inside the vault): relative Markdown, which zk,
 * Foam, Obsidian and GitHub all follow.
 */
export function noteLink(
  { path, title }: { readonly path: string; readonly title: string },
  from = '',
): string {
  const target = posix.relative(posix.dirname(from), path);
  return `[${text(title, 160)}](${encodeURI(target).replaceAll(/[()]/g, escape)})`;
}

function escape(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
