import { extname, join } from 'node:path';

import { workflowBundleName } from '../infra/tools/package-layout.ts';

/**
 * The workflows as `Worker.create` takes them: the sources of a checkout, or what was bundled when the package was built,
 * which saves each start a second and a half.
 */
export function workflowCode({
  traced,
}: {
  readonly traced: boolean;
}): { readonly workflowsPath: string } | { readonly workflowBundle: { readonly codePath: string } } {
  const root = join(import.meta.dirname, '..');
  const extension = extname(import.meta.filename);
  // Traces need interceptors inside the bundle, which a worker can only put into one that it makes itself.
  if (extension === '.ts' || traced) return { workflowsPath: join(root, 'workflows', `index${extension}`) };
  return { workflowBundle: { codePath: join(root, workflowBundleName) } };
}
