/** The addresses and links to notes in a text that the facts do not hold. */
export function unknownLinks(text: string, facts: unknown): string[] {
  const known = JSON.stringify(facts);
  const addresses = (text.match(/\b(?:[a-z][a-z+.-]*:\/\/|www\.)[^\s<>"'）」]+/giu) ?? []).map((address) =>
    address.replace(/[.,;:!?)\]}]+$/, ''),
  );
  const notes = [...text.matchAll(/\[\[([^\]]*)\]\]|\]\(([^)]*)\)/g)].map(([, wiki, target]) =>
    (wiki ?? target ?? '').trim(),
  );
  return [...new Set([...addresses, ...notes])].filter((link) => link === '' || !known.includes(link));
}
