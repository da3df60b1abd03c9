import * as fc from 'fast-check';
import { micromark } from 'micromark';
import { gfm, gfmHtml } from 'micromark-extension-gfm';

const bricks = [
  '@octocat',
  '@lab/team',
  '#1',
  'GH-7',
  'lab/other#3',
  'https://evil.example/x.png',
  'www.evil.example',
  'mail@evil.example',
  '![p](https://evil.example/p.png)',
  '[c](https://evil.example/c)',
  '[ref]: https://evil.example/r',
  '<img src="https://evil.example/i.png">',
  '<a href="https://evil.example">',
  '</details>',
  '</summary>',
  '<details open>',
  '<!--',
  '-->',
  '<!-- hephaestus:warmup-cosine -->',
  '<!-- /hephaestus:generated -->',
  '<https://evil.example>',
  '```',
  '~~~',
  '`',
  '``',
  '|',
  '|---|',
  '\n',
  '\r\n',
  '\n\n',
  '\n\n# big\n\n',
  '\n---\n',
  '\n> ',
  '\n- [x] ',
  '    ',
  '../../etc/passwd',
  'a\nb.py',
  '🔥👩‍🔬',
  '\u202Etxt.exe',
  '\u0000',
  '\uD800',
  '&lt;img&gt;',
  '&#64;octocat',
  '&commat;octocat',
  '\\',
  '\\@octocat',
  '$$x$$',
  '**',
  '__',
  '~~',
  '[^1]',
  '[^1]: note',
  '{{ 7*7 }}',
  '{% raw %}',
  '$(rm -rf /)',
  'closes ',
  'javascript:alert(1)',
  '*/',
  ' ',
  'word',
] as const;

/** Words that somebody outside wrote: everything that means something to Markdown, HTML, templates or shells, mixed. */
export const hostile = fc.oneof(
  fc.array(fc.constantFrom(...bricks), { maxLength: 12 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 40 }),
);

/** Markdown to HTML by the parser whose dialect is GitHub's, with raw HTML let through: what it would do is what counts. */
export function toHtml(markdown: string): string {
  return micromark(markdown, {
    allowDangerousHtml: true,
    allowDangerousProtocol: true,
    extensions: [gfm()],
    htmlExtensions: [gfmHtml()],
  });
}

export interface Seen {
  /** Addresses of links and pictures. */
  readonly links: readonly string[];
  readonly pictures: readonly string[];
  /** Names of the elements in the order in which they open and close, `/` before those that close. */
  readonly elements: readonly string[];
  /** What people read outside code, in which GitHub looks for mentions and references. */
  readonly words: string;
}

export function see(html: string): Seen {
  const shown = html.replaceAll(/<!--[\s\S]*?-->/g, '');
  const attributes = (name: string): string[] =>
    [...shown.matchAll(new RegExp(`<[a-z]+[^>]*\\s${name}="([^"]*)"`, 'g'))].map(([, value = '']) => value);
  return {
    links: attributes('href'),
    pictures: [...attributes('src'), ...attributes('srcset')],
    elements: [...shown.matchAll(/<(\/?[a-z][a-z0-9]*)\b[^>]*>/gi)].map(([, name = '']) =>
      name.toLowerCase(),
    ),
    words: decode(shown.replaceAll(/<(code|pre)\b[^>]*>[\s\S]*?<\/\1>/g, ' ').replaceAll(/<[^>]*>/g, '')),
  };
}

function decode(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll('&amp;', '&');
}

/** What GitHub makes a mention or a reference of, in text. */
export const notifying = /(?<![\w`])@[a-z\d]|(?<![\w&])#\d|\bGH-\d|\w\/\w+#\d/i;
