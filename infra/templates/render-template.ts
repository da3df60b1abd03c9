import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import nunjucks from 'nunjucks';

const environment = new nunjucks.Environment(
  new nunjucks.FileSystemLoader(dirname(fileURLToPath(import.meta.url))),
  // The texts are Markdown, not HTML; a name that is missing must fail here and not show as a gap.
  { autoescape: false, throwOnUndefined: true, trimBlocks: true, lstripBlocks: true },
);

/** Renders a template of this folder, for example `note.md.njk`. `{{ value | dump }}` writes a value as JSON. */
export function renderTemplate(name: string, values: object): string {
  return environment.render(name, values);
}
