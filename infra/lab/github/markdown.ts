import { Marked } from 'marked';

/** What GitHub lets through of HTML, as far as it is used here; without attributes but these. */
const kept = /^<\/?(?:details|summary|sub|sup|kbd|code|b|i|em|strong|br|hr|p)(?: open)?\s*\/?>$/i;

/** Pictures for light and dark pages. As there, an address that is not of the web is taken away with its tag. */
const keptPicture =
  /^(?:<\/?picture>|<source media="\(prefers-color-scheme: dark\)" srcset="(?:https?:|\/)[^"<>\s]*">|<img alt="[^"<>]*" src="(?:https?:|\/)[^"<>\s]*" width="\d+">)$/;

const marked = new Marked({
  gfm: true,
  renderer: {
    html({ text }) {
      return text
        .replaceAll(/<!--.*?-->/gs, '')
        .split(/(<[^<>]*>)/)
        .map((part) => (kept.test(part) || keptPicture.test(part) ? part : escapeHtml(part)))
        .join('');
    },
    link({ href, tokens }) {
      const words = this.parser.parseInline(tokens);
      return isWeb(href) ? `<a href="${escapeHtml(href)}" rel="nofollow">${words}</a>` : words;
    },
    image({ href, text }) {
      const alt = escapeHtml(text);
      return isWeb(href)
        ? `<a href="${escapeHtml(href)}"><img src="${escapeHtml(href)}" alt="${alt}"></a>`
        : alt;
    },
  },
});

/** Markdown as GitHub shows it, roughly: tables and folds yes, scripts and styles no. */
export function renderMarkdown(text: string): string {
  return marked.parse(text, { async: false });
}

function isWeb(href: string): boolean {
  return /^(?:https?:\/\/|\/(?!\/)|#)/i.test(href);
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
