import { extname, join } from 'node:path';

import { workflowBundleName } from '../infra/tools/package-layout.ts';

/**
 * The workflows as `Worker.create` takes them: the sources of a checkout, or what was bundled when the package was built,
 * which saves each start a second and a half.
 */
export function workflowCode():
  | { readonly workflowsPath: string }
  | { readonly workflowBundle: { readonly codePath: string } } {
  const root = join(import.meta.dirname, '..');
  const extension = extname(import.meta.filename);
  if (extension === '.ts') return { workflowsPath: join(root, 'workflows', `index${extension}`) };
  return { workflowBundle: { codePath: join(root, workflowBundleName) } };
}
