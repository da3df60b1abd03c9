import { lstat, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';

import { execa } from 'execa';
import { parse as parseToml, TomlError } from 'smol-toml';
import { parseDocument } from 'yaml';

import { childEnvironment } from '../../infra/agents/child-environment.ts';
import { unlessMissing } from '../../infra/unless-missing.ts';

export interface SyntaxCheck {
  /** The worktree. */
  readonly source: string;
  readonly paths: readonly string[];
  /** An interpreter, and the version that the experiment runs on, for example `3.11`. */
  readonly python: string;
  readonly pythonVersion: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** An older interpreter than the experiment's would refuse what is right; then nothing is said. */
const compileAll = `import ast, sys
wanted = tuple(int(part) for part in sys.argv[1].split(".")[:2])
failed = False
for path in sys.argv[2:] if sys.version_info[:2] >= wanted else []:
    try:
        with open(path, "rb") as file:
            ast.parse(file.read(), path)
    except (SyntaxError, ValueError) as error:
        print(f"{path}: {type(error).__name__}: {error}")
        failed = True
sys.exit(failed)`;

const limitMs = 60_000;

/** What cannot even be read by its own format among the changed files, as lines; [] when all can. The files are only parsed. */
export async function checkSyntax(check: SyntaxCheck): Promise<string[]> {
  const files = await ordinaryFiles(check);
  const configs = await Promise.all(files.map((path) => configProblem(check.source, path)));
  const scripts = files.filter((path) => extname(path) === '.py');
  return [...configs.flatMap((problem) => problem ?? []), ...(await pythonProblems(check, scripts))];
}

/** A link could lead to a file that is nobody's business here. */
async function ordinaryFiles({ source, paths }: SyntaxCheck): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) {
    const status = await unlessMissing(lstat(join(source, path)));
    if (status?.isFile() === true) found.push(path);
  }
  return found;
}

async function configProblem(source: string, path: string): Promise<string | null> {
  const kind = extname(path);
  if (!['.json', '.toml', '.yaml', '.yml'].includes(kind)) return null;
  const text = await readFile(join(source, path), 'utf8');
  try {
    if (kind === '.json') JSON.parse(text);
    else if (kind === '.toml') parseToml(text);
    else {
      const [error] = parseDocument(text, { logLevel: 'silent' }).errors;
      return error === undefined ? null : `${path}: ${error.message.split('\n', 1)[0] ?? ''}`;
    }
    return null;
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TomlError)) throw error;
    return `${path}: ${error.message.split('\n', 1)[0] ?? ''}`;
  }
}

async function pythonProblems(
  { source, python, pythonVersion, environment, signal }: SyntaxCheck,
  paths: readonly string[],
): Promise<string[]> {
  if (paths.length === 0) return [];
  const result = await execa(python, ['-I', '-c', compileAll, pythonVersion, ...paths], {
    cwd: source,
    env: childEnvironment(environment),
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    timeout: limitMs,
    cancelSignal: signal,
  });
  signal.throwIfAborted();
  return result.exitCode === 1 ? result.stdout.split('\n').filter((line) => line !== '') : [];
}
