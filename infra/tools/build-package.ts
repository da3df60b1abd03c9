import { chmod, copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { execa } from 'execa';

import { processEnvironment } from '../env.ts';
import { workflowBundleName } from './package-layout.ts';

const root = join(import.meta.dirname, '..', '..');
const dist = join(root, 'dist');
const folders = ['domain', 'workflows', 'activities', 'workers', 'client', 'infra'];

/**
 * `npm run build`: the same tree in `dist/` as JavaScript, because Node does not strip types inside `node_modules`, with
 * everything that the sources read beside themselves, and the workflows as one file.
 */
await rm(dist, { recursive: true, force: true });
// `tsc` writes package.json too: the command line reads its version there.
await execa(
  process.execPath,
  [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json'],
  {
    cwd: root,
    env: processEnvironment(),
    stdio: 'inherit',
  },
);
const files = await companions();
for (const file of files) {
  await mkdir(dirname(join(dist, file)), { recursive: true });
  await copyFile(join(root, file), join(dist, file));
}
await chmod(join(dist, 'client', 'cli', 'bin.js'), 0o755);
const { code } = await bundleWorkflowCode({
  workflowsPath: join(dist, 'workflows', 'index.js'),
  logger: new DefaultLogger('WARN'),
});
await writeFile(join(dist, workflowBundleName), code);
console.error(
  `dist/ holds the package: ${files.length} files beside the code, ${workflowBundleName} ${code.length} characters`,
);

/** Templates, scripts, lock files: what stands in the built folders and is no TypeScript; the lab stays at home. */
async function companions(): Promise<readonly string[]> {
  const found = await Promise.all(
    folders.map(async (folder) => {
      const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => relative(root, join(entry.parentPath, entry.name)));
    }),
  );
  // What Python leaves beside a script that was run.
  const foreign = /(?:^|\/)__pycache__\/|^infra\/lab\/|\.ts$/;
  return [...found.flat().filter((path) => !foreign.test(path)), '.env.example'];
}
