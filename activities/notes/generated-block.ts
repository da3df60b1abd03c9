/**
 * The parts of a note that Hephaestus writes anew whenever they change: everything between the two marks is its own,
 * everything outside is the person's and stays as it is.
 */
export type BlockName = 'backlinks' | 'results' | 'metrics' | 'tags';

const anyBlock = /(<!-- hephaestus:(\w+) -->)[\s\S]*?(<!-- \/hephaestus:\2 -->)/g;

/** A block as it stands in a note. */
export function block(name: BlockName, content: string): string {
  return `<!-- hephaestus:${name} -->\n${content.trim()}\n<!-- /hephaestus:${name} -->`;
}

/** The text with the block's content replaced; null where it has no such block. */
export function replaceBlock(text: string, name: BlockName, content: string): string | null {
  const pattern = new RegExp(`<!-- hephaestus:${name} -->[\\s\\S]*?<!-- /hephaestus:${name} -->`);
  return pattern.test(text) ? text.replace(pattern, () => block(name, content)) : null;
}

/** The text with every block empty: what people wrote, and where. */
export function withoutBlocks(text: string): string {
  return text.replaceAll(anyBlock, '$1\n$3');
}
