import { parse, TomlError } from 'smol-toml';
import { z } from 'zod';

/** What of a repository the proposed files are fitted to. */
export interface AdoptionFacts {
  /** owner/name */
  readonly repository: string;
  readonly base: string;
  readonly lock: boolean;
  readonly requirements: boolean;
  readonly tests: boolean;
  /** Minor version, for example 3.11. */
  readonly python: string;
  /** Path of the script that trains; null when there is none that looks like it. */
  readonly script: string | null;
  /** Whether its instructions for Copilot are Hephaestus's. */
  readonly ownInstructions: boolean;
}

/** Which Python a repository gets that does not say. */
const usualPython = '3.11';

const Pyproject = z.object({ project: z.object({ 'requires-python': z.string() }) });

/** What was read of a repository. */
export interface RepositoryTexts {
  readonly repository: string;
  readonly base: string;
  readonly files: readonly string[];
  /** null when there is none. */
  readonly pyproject: string | null;
  readonly ownInstructions: boolean;
}

/** Reads what can be told from the names of the files and from `pyproject.toml`. */
export function readFacts({
  repository,
  base,
  files,
  pyproject,
  ownInstructions,
}: RepositoryTexts): AdoptionFacts {
  return {
    repository,
    base,
    lock: files.includes('uv.lock'),
    requirements: files.includes('requirements.txt'),
    tests: files.some((path) => /(?:^|\/)(?:test_[^/]*|[^/]*_test)\.py$/.test(path)),
    python: pythonOf(pyproject),
    script: findScript(files),
    ownInstructions,
  };
}

/** The lowest version that the project takes: what runs there runs later as well. */
function pythonOf(pyproject: string | null): string {
  if (pyproject === null) return usualPython;
  try {
    const { project } = Pyproject.parse(parse(pyproject));
    return /[>=~]=\s*(3\.\d{1,2})/.exec(project['requires-python'])?.[1] ?? usualPython;
  } catch (error) {
    // The repository's own mistake, or a project that says nothing: a reviewer of the proposal sees the version.
    if (error instanceof TomlError || error instanceof z.ZodError) return usualPython;
    throw error;
  }
}

/** The shallowest `train.py`, else the shallowest script whose name begins so. */
function findScript(files: readonly string[]): string | null {
  const [first] = files
    .filter((path) => /(?:^|\/)train[^/]*\.py$/.test(path) && /^[\w./-]+$/.test(path))
    .toSorted((a, b) => rank(a) - rank(b) || a.localeCompare(b));
  return first ?? null;
}

/** Any plain `train.py` comes before any other name. */
function rank(path: string): number {
  const otherName = /(?:^|\/)train\.py$/.test(path) ? 0 : 1000;
  return otherName + path.split('/').length;
}
