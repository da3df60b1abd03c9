const begin = '<!-- hephaestus:generated -->';
const end = '<!-- /hephaestus:generated -->';

/**
 * The body of a pull request with its generated part as it is now. Everything outside the two markers is a person's and
 * stays; where a person took the markers away, the whole body is theirs. `body` is null for a new pull request.
 */
export function renewBody(body: string | null, generated: string): string {
  const block = `${begin}\n${generated.trim()}\n${end}`;
  if (body === null) return `${block}\n`;
  const from = body.indexOf(begin);
  // What is shown in between may hold the words of the marker itself.
  const to = body.lastIndexOf(end);
  if (from < 0 || to < from) return body;
  return `${body.slice(0, from)}${block}${body.slice(to + end.length)}`;
}
