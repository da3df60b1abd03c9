/**
 * Filters that put words from outside (people, models, platforms) into Markdown as words and nothing else: no markup,
 * no picture, no mention, no reference that notifies or closes anything. GitHub looks for mentions and references after
 * it rendered the Markdown, so an escape alone does not stop them: a space without width does.
 */

const gap = '\u200B';
const defaultLength = 1000;

/** Control characters, characters that change the direction of text, and lone surrogates. */
// oxlint-disable-next-line no-control-regex -- naming control characters is what this is for
const unseen = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF]/g;

/** One line of plain words, at most `length` characters before escaping. */
export function text(value: unknown, length: number = defaultLength): string {
  const line = shorten(String(value).toWellFormed().replaceAll(/\s+/g, ' ').replaceAll(unseen, ''), length);
  return unlink(line.trim())
    .replaceAll(/[\\`*_[\]|~$#]/g, (character) => `\\${character}`)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/^(?=[-+](?:\s|$)|--|=)/, '\\')
    .replace(/^(\d+)([.)])(?=\s|$)/, '$1\\$2');
}

/** A name or id in the typewriter face. */
export function code(value: unknown, length: number = 200): string {
  const plain = String(value);
  // A bar would end the cell of a table, and nothing can escape a mark.
  if (plain.length <= length && /^[\x21-\x5F\x61-\x7B\x7D\x7E]+(?: [\x21-\x5F\x61-\x7B\x7D\x7E]+)*$/.test(plain)) {
    return `\`${plain}\``;
  }
  return `<code>${text(plain, length)}</code>`;
}

/** A block that shows the text exactly as it is, whatever stands in it. */
export function fence(value: unknown, language: string = '', length: number = 8000): string {
  const block = shorten(String(value).toWellFormed().replaceAll(unseen, '').trimEnd(), length);
  const longest = Math.max(2, ...[...block.matchAll(/`+/g)].map(([run]) => run.length));
  const marks = '`'.repeat(longest + 1);
  return `${marks}${language}\n${block}\n${marks}`;
}

/** Several lines of words: paragraphs, headings (as bold lines) and simple lists stay, all else is words. */
export function prose(value: unknown, length: number = 8000): string {
  return shorten(String(value).replaceAll(/\r\n?/g, '\n'), length).split('\n').map(proseLine).join('\n');
}

function proseLine(line: string): string {
  const heading = /^\s{0,3}#{1,6}\s+(.*)$/.exec(line)?.[1];
  if (heading !== undefined) return `**${text(heading)}**\n`;
  const item = /^(\s*)(?:[-*+]|\d+[.)])\s+(.*)$/.exec(line);
  if (item !== null) return `${(item[1] ?? '').length >= 2 ? '  ' : ''}- ${inline(item[2] ?? '')}`;
  return inline(line);
}

/** Words with code spans. */
function inline(line: string): string {
  return line
    .trim()
    .split(/(`[^`]+`)/)
    .map((part, index) => {
      if (index % 2 === 1) return code(part.slice(1, -1), defaultLength);
      const [, before = '', words = '', after = ''] = /^(\s*)(.*?)(\s*)$/.exec(part) ?? [];
      return `${before && ' '}${text(words, 4000)}${after && ' '}`;
    })
    .join('');
}

/** `{{ label | link(url) }}`: the label alone when the address is not one of the web. */
export function link(label: unknown, url: unknown): string {
  const address = webAddress(url);
  return address === null ? text(label) : `[${text(label)}](${address})`;
}

/** `{{ alternative text | picture(url) }}` */
export function picture(alternative: unknown, url: unknown): string {
  const address = webAddress(url);
  return address === null ? text(alternative) : `![${text(alternative)}](${address})`;
}

/**
 * `{{ alternative text | themed(url, dark url, width) }}`: one of two pictures, by whether the page is light or dark;
 * the first alone when there is no second. `width` in CSS pixels; a narrower page shows it narrower.
 */
export function themed(alternative: unknown, url: unknown, darkUrl: unknown, width: number): string {
  const [light, dark] = [webAddress(url), webAddress(darkUrl)];
  if (light === null || dark === null) return picture(alternative, url);
  const words = escapeAttribute(String(alternative));
  return `<picture><source media="(prefers-color-scheme: dark)" srcset="${escapeAttribute(dark)}"><img alt="${words}" src="${escapeAttribute(light)}" width="${width}"></picture>`;
}

function escapeAttribute(value: string): string {
  const line = shorten(value.toWellFormed().replaceAll(/\s+/g, ' ').replaceAll(unseen, ''), defaultLength);
  return line.replaceAll(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** An http(s) address in a form that cannot end a Markdown link; null for anything else. */
export function webAddress(url: unknown): string | null {
  if (typeof url !== 'string' || !URL.canParse(url)) return null;
  const { protocol, username, password, href } = new URL(url);
  if ((protocol !== 'https:' && protocol !== 'http:') || username !== '' || password !== '') return null;
  if (href.length > 2000) return null;
  return href.replaceAll(
    /[()<>[\]\\`|"'*_~!$ ]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

/** A number with at most four digits that matter; a dash when there is none. */
export function number(value: unknown): string {
  if (typeof value !== 'number' || !Number.isFinite(value)) return '–';
  return Number(value.toPrecision(4)).toString();
}

/** Hours of a cluster: two digits behind the point, more only where nothing else would be left. */
export function hours(value: unknown): string {
  if (typeof value !== 'number' || !Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  return Number(value < 0.1 ? value.toPrecision(2) : value.toFixed(2)).toString();
}

/** An amount of memory, as people read it. */
export function bytes(value: unknown): string {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) return '–';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(value) / 10));
  return `${Number((value / 1024 ** power).toPrecision(3))} ${units[power]}`;
}

/** An ISO 8601 time as people read it. */
export function moment(value: unknown): string {
  const time = new Date(String(value));
  if (Number.isNaN(time.getTime())) return String(value);
  return `${time.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** The same with its sign. */
export function signed(value: unknown): string {
  return typeof value === 'number' && value > 0 ? `+${number(value)}` : number(value);
}

/** A commit as people write it. */
export function sha(value: unknown): string {
  return String(value).slice(0, 12);
}

/** Mentions, references to issues, addresses: what GitHub turns into links by itself stays words. */
function unlink(line: string): string {
  return line
    .replaceAll(/[@#]/g, (character) => `${character}${gap}`)
    .replaceAll('://', `:${gap}//`)
    .replaceAll(/\bwww\./gi, (found) => `${found.slice(0, -1)}${gap}.`)
    .replaceAll(/\bgh-(?=\d)/gi, (found) => `${found}${gap}`);
}

function shorten(line: string, length: number): string {
  return line.length <= length ? line : `${line.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
