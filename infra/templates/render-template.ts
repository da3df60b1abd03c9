import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import nunjucks from 'nunjucks';

import { bytes, code, fence, hours, link, moment, number, picture, prose, sha, signed, text, themed } from './markdown-filters.ts';

const environment = new nunjucks.Environment(
  new nunjucks.FileSystemLoader(dirname(fileURLToPath(import.meta.url))),
  // The texts are Markdown, not HTML; a name that is missing must fail here and not show as a gap.
  { autoescape: false, throwOnUndefined: true, trimBlocks: true, lstripBlocks: true },
);
const filters = { bytes, code, fence, hours, link, moment, number, picture, prose, sha, signed, text, themed };
for (const [name, filter] of Object.entries(filters)) environment.addFilter(name, filter);

/**
 * Renders a template of this folder, for example `note.md.njk`. Nothing is escaped by itself: words from outside go
 * through a filter of `markdown-filters.ts`, for example `{{ title | text }}`; `{{ value | dump }}` writes JSON.
 */
export function renderTemplate(name: string, values: object): string {
  return environment.render(name, values);
}
