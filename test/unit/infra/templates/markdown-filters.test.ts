import { describe, expect, it } from 'vitest';

import {
  code,
  fence,
  link,
  picture,
  prose,
  text,
  webAddress,
} from '../../../../infra/templates/markdown-filters.ts';
import { renderMarkdown } from '../../../../infra/lab/github/markdown.ts';
import { renderTemplate } from '../../../../infra/templates/render-template.ts';

const nasty = [
  'plain <b>bold</b> <img src="https://elsewhere.example/x.png"> <script>alert(1)</script>',
  '![spy](https://elsewhere.example/x.png) [click](https://elsewhere.example) <https://elsewhere.example>',
  '`code` ``` ~~~ **bold** _it_ ~~gone~~ | cell | $x^2$',
  '# heading',
  '- item',
  '1. item',
  '> quote',
  '--> <!-- x',
  '</details></summary><h1>out</h1>',
  '&lt;b&gt; &#60;b&#62;',
];

describe('text', () => {
  it.each(nasty)('shows %j as words and nothing else', (input) => {
    const html = renderMarkdown(`before ${text(input)} after\n\n| a |\n|---|\n| ${text(input)} |`);
    expect(html.match(/<td>/g)).toHaveLength(1);
    expect(html).not.toMatch(/<(b|img|a|script|code|strong|em|del|h1|li|blockquote)\b/);
    expect(renderMarkdown(text(input))).toMatch(/^<p>[^<]*<\/p>\n$/);
  });

  it('mentions nobody, refers to nothing and links nothing by itself', () => {
    expect(text('ask @octocat, fixes #12, GH-3, org/repo#4')).not.toMatch(/@\w|#\d|GH-\d/i);
    expect(text('https://evil.example and www.evil.example')).not.toMatch(/:\/\/|www\./);
  });

  it('keeps to one line, to its length and to whole characters', () => {
    expect(text('a\n\nb\r\nc')).toBe('a b c');
    expect(text('😀'.repeat(20), 10)).toBe('😀😀😀😀…');
    expect(text('\u202Eevil\u0007\u200Bx')).toBe('evilx');
  });
});

describe('code and fence', () => {
  it('show what cannot stand between single marks in another way', () => {
    expect(code('job-12_a/b')).toBe('`job-12_a/b`');
    expect(renderMarkdown(code('a`b <img src=x> @me'))).not.toMatch(/<img/);
    expect(code('@octocat `')).not.toMatch(/@o/);
  });

  it('cannot be closed from within', () => {
    const block = fence('a\n```\n````\n<img src=x>', 'sh');
    expect(renderMarkdown(block).match(/<pre>/g)).toHaveLength(1);
    expect(renderMarkdown(block)).not.toContain('<img');
    expect(block.startsWith('`````sh\n')).toBe(true);
  });
});

describe('prose', () => {
  it('keeps headings, lists and code, and makes words of the rest', () => {
    const html = renderMarkdown(prose('## Why\n\n- one `a|b`\n- two <img src=x>\n\n```\n@me\n```\nend @you'));
    expect(html).toContain('<strong>Why</strong>');
    expect(html.match(/<li>/g)).toHaveLength(2);
    expect(html).not.toMatch(/<img|<pre>|@\w/);
  });
});

describe('links', () => {
  it.each([
    'javascript:alert(1)',
    'data:text/html,x',
    'https://user:secret@host.example/',
    'not an address',
    '/relative',
    null,
  ])('are words when the address is %j', (url) => {
    expect(link('label', url)).toBe('label');
    expect(picture('label', url)).toBe('label');
  });

  it('cannot be ended by their address or label', () => {
    const html = renderMarkdown(
      link('a](https://evil.example) [b', 'https://host.example/x) ![p](https://evil.example/p'),
    );
    expect(html.match(/<a /g)).toHaveLength(1);
    expect(html).not.toContain('<img');
    expect(webAddress('https://host.example/a b"<>')).toBe('https://host.example/a%20b%22%3C%3E');
  });
});

describe('renderTemplate', () => {
  it('fails on a name that is not given', () => {
    expect(() => renderTemplate('pull-request.md.njk', {})).toThrow(/undefined/);
  });
});
