import { fileURLToPath } from 'node:url';

import nunjucks from 'nunjucks';

import { moment, webAddress } from '../../infra/templates/markdown-filters.ts';

const environment = new nunjucks.Environment(
  new nunjucks.FileSystemLoader(fileURLToPath(new URL('templates', import.meta.url))),
  // Every word on a page comes from outside in the end; a name that is missing must fail here and not show as a gap.
  { autoescape: true, throwOnUndefined: true, trimBlocks: true, lstripBlocks: true },
);
environment.addFilter('moment', moment);
environment.addFilter('address', (url: unknown) => webAddress(url) ?? '');

/** Renders a page of this folder's `templates`, for example `lab.njk`; every value is escaped. */
export function renderPage(name: string, values: object): string {
  return environment.render(name, values);
}
