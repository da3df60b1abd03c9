import type { Item } from './wandb-record.ts';

/** Values by name, each as JSON text; a nested value is a tree of its own. */
export interface ItemTree extends Map<string, string | ItemTree> {}

/** Sets a value at its whole path; what stood in the way is replaced, as later records do. */
export function setItem(tree: ItemTree, { path, json }: Item): void {
  let at = tree;
  for (const name of path.slice(0, -1)) {
    const found = at.get(name);
    const next: ItemTree = found === undefined || typeof found === 'string' ? new Map() : found;
    if (next !== found) at.set(name, next);
    at = next;
  }
  const last = path.at(-1);
  if (last !== undefined) at.set(last, json);
}

/** Takes a value and everything below it away. */
export function removeItem(tree: ItemTree, path: readonly string[]): void {
  const [first, ...rest] = path;
  if (first === undefined) return;
  const found = tree.get(first);
  if (rest.length === 0) tree.delete(first);
  else if (found !== undefined && typeof found !== 'string') removeItem(found, rest);
}

/** As JSON text; numbers that are not finite stay as they are written, which W&B reads. */
export function treeText(tree: ItemTree): string {
  const members = [...tree].map(([name, value]) => {
    const text = typeof value === 'string' ? value : treeText(value);
    return `${JSON.stringify(name)}:${text}`;
  });
  return `{${members.join(',')}}`;
}

/** A copy that may be changed without changing this one. */
export function copyTree(tree: ItemTree): ItemTree {
  return new Map(
    [...tree].map(([name, value]) => [name, typeof value === 'string' ? value : copyTree(value)]),
  );
}

/** The values again, each with its whole path. */
export function treeItems(tree: ItemTree, prefix: readonly string[] = []): Item[] {
  return [...tree].flatMap(([name, value]) =>
    typeof value === 'string'
      ? [{ path: [...prefix, name], json: value }]
      : treeItems(value, [...prefix, name]),
  );
}
