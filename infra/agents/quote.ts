/**
 * Text from outside (an idea, a review, a failure) as quoted data inside a prompt: marked line by line, so that it
 * cannot pass for the prompt's own words, and with `@` escaped, since the agents replace `@path` by the file's content.
 */
export function quote(text: string, maxCharacters: number): string {
  const cut = text.length > maxCharacters ? `${text.slice(0, maxCharacters)}\n… (cut)` : text;
  return cut
    .split(/\r\n|[\n\r\u2028\u2029]/)
    .map((line) => `> ${line.replaceAll('@', '\\@')}`)
    .join('\n');
}
