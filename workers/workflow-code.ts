import { extname, join } from 'node:path';

import { workflowBundleName } from '../infra/tools/package-layout.ts';
import { keptBundle } from './kept-bundle.ts';

/** Of a checkout that belongs to somebody else. */
const notMine = new Set(['EACCES', 'EPERM', 'EROFS']);

/** The workflows as `Worker.create` takes them: what was bundled when the package was built, or, in a checkout, its sources. */
export async function workflowCode(): Promise<
  { readonly workflowBundle: { readonly codePath: string } } | { readonly workflowsPath: string }
> {
  const root = join(import.meta.dirname, '..');
  if (extname(import.meta.filename) !== '.ts') {
    return { workflowBundle: { codePath: join(root, workflowBundleName) } };
  }
  try {
    return { workflowBundle: { codePath: await keptBundle(root) } };
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && notMine.has(String(error.code)))) throw error;
    return { workflowsPath: join(root, 'workflows', 'index.ts') };
  }
}
