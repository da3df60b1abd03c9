import { processEnvironment } from '../env.ts';
import { ensureTools, ToolInstallError } from './ensure-tools.ts';
import { MissingToolError } from './preflight.ts';
import { toolsRoot } from './tools-root.ts';

/** `node infra/tools/install.ts`: everything into `.tools/` of this checkout, and where each tool stands. */
try {
  const tools = await ensureTools({
    root: toolsRoot(processEnvironment()),
    environment: processEnvironment(),
    log: (line) => console.error(line),
  });
  console.log(JSON.stringify(tools, null, 2));
} catch (error) {
  if (!(error instanceof MissingToolError || error instanceof ToolInstallError)) throw error;
  console.error(error.message);
  process.exitCode = error instanceof MissingToolError ? 2 : 5;
}
