import { text } from '../../infra/templates/markdown-filters.ts';

/** A link to a note of the vault, from a note in its root: relative Markdown, which zk, Foam, Obsidian and GitHub all follow. */
export function noteLink({ path, title }: { readonly path: string; readonly title: string }): string {
  return `[${text(title, 160)}](${encodeURI(path).replaceAll(/[()]/g, escape)})`;
}

function escape(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
