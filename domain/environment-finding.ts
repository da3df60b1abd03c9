/**
 * The closed list of what can be wrong with a frozen environment, each with what to do about it. Every code has its
 * row in `docs/environments.md` (a test holds both directions).
 *
 * `refused`: the job would not start, or would run something else than was proven; no GPU is asked for.
 * `told`: it may matter; it is written into the proof, and the rehearsal decides.
 */
export const environmentFindings = {
  // compatibility, before anything is built
  'python-unsupported': {
    weight: 'refused',
    cure: 'Change "python" in the task note, or "requires-python" and the lock.',
  },
  'no-fitting-wheel': {
    weight: 'refused',
    cure: 'Lock a version that has a wheel for this Python and platform; "uv lock" on the platform of the cluster.',
  },
  'source-only': {
    weight: 'refused',
    cure: 'Lock a version that has a wheel, or build the wheel once and put it into an index or a find-links folder.',
  },
  'cuda-driver-too-old': {
    weight: 'refused',
    cure: 'Lock packages for an older CUDA, or run on nodes with a newer driver ("cuda_driver" in the task note).',
  },
  'incompatible-packages': {
    weight: 'refused',
    cure: 'Lock again with "uv lock", or pin versions that fit each other.',
  },
  'overridden-dependencies': {
    weight: 'told',
    cure: 'Nothing, if the overrides in pyproject.toml are meant; see that the rehearsal uses the packages.',
  },
  'index-warning': {
    weight: 'told',
    cure: 'Read the words of uv; a yanked version is best replaced: "uv lock --upgrade-package <name>".',
  },
  // links and files
  'absolute-link': {
    weight: 'refused',
    cure: 'Make the link relative, or leave out the package that made it.',
  },
  'dangling-link': { weight: 'refused', cure: 'Remove the link, or put what it names into the package.' },
  'escaping-link': {
    weight: 'refused',
    cure: 'Copy what it links to into the package; with UV_LINK_MODE=copy uv makes no such link.',
  },
  'hard-link': {
    weight: 'refused',
    cure: 'Build with UV_LINK_MODE=copy, so that no file is shared with a cache.',
  },
  'special-file': { weight: 'refused', cure: 'Leave out the package or program that made it.' },
  'setuid-file': {
    weight: 'refused',
    cure: 'Leave out the package; nothing that is imported needs another user.',
  },
  'world-writable': { weight: 'refused', cure: 'Let the worker run with umask 022, and freeze again.' },
  'leftover-cache': { weight: 'told', cure: 'Report it to the package, or leave it: it only takes space.' },
  // what names a path
  'foreign-home': {
    weight: 'refused',
    cure: 'Freeze again: "home" must be the folder of the interpreter that the task note names.',
  },
  'foreign-shebang': {
    weight: 'refused',
    cure: 'Start the program as "python -m <module>", or leave out the package.',
  },
  'foreign-activate': {
    weight: 'refused',
    cure: 'Freeze again, with HEPHAESTUS_JOB_SHARED_DIR as the job sees the disk.',
  },
  'foreign-path-file': {
    weight: 'refused',
    cure: 'Install the code as a package instead of naming its folder.',
  },
  'editable-install': {
    weight: 'refused',
    cure: 'Install the package itself: take "editable" out of pyproject.toml.',
  },
  // binaries
  'damaged-binary': { weight: 'refused', cure: 'Clear the cache of uv for this package, and freeze again.' },
  'foreign-library-path': {
    weight: 'refused',
    cure: 'Take a wheel that was repaired (auditwheel), so that libraries are found beside it ($ORIGIN).',
  },
  'missing-library': {
    weight: 'told',
    cure: 'See that the image of the job has the library, if the command uses this part of the package.',
  },
  'foreign-architecture': {
    weight: 'told',
    cure: 'Nothing, if the package brings binaries for several machines.',
  },
  'glibc-too-new': {
    weight: 'refused',
    cure: 'Lock a version with a wheel for an older manylinux, or take an image with a newer glibc ("glibc" in the task note).',
  },
  // the rehearsal
  'does-not-start': {
    weight: 'refused',
    cure: 'Read the last words of Python; most often a library of the system is missing.',
  },
  'import-fails': {
    weight: 'refused',
    cure: 'Add what the import misses to the lock, or leave out the package.',
  },
  'loaded-from-outside': {
    weight: 'refused',
    cure: 'Lock the package that the module belongs to, so that it comes from the environment.',
  },
} as const satisfies Record<string, { weight: 'refused' | 'told'; cure: string }>;

export type EnvironmentFindingCode = keyof typeof environmentFindings;

export interface EnvironmentFinding {
  readonly code: EnvironmentFindingCode;
  /** Inside the environment, or the name of a package. */
  readonly path: string;
  /** What was found, and what it would do to the job. */
  readonly sentence: string;
  readonly cure: string;
}

export function environmentFinding(
  code: EnvironmentFindingCode,
  path: string,
  sentence: string,
): EnvironmentFinding {
  return { code, path, sentence, cure: environmentFindings[code].cure };
}

export function isRefused(finding: EnvironmentFinding): boolean {
  return environmentFindings[finding.code].weight === 'refused';
}

const mostShown = 50;

/** The findings as lines for people: code, sentence, cure. What is beyond fifty is counted. */
export function describeFindings(findings: readonly EnvironmentFinding[]): string {
  const lines = findings
    .slice(0, mostShown)
    .map(({ code, sentence, cure }) => `- [${code}] ${sentence} ${cure}`);
  const more = findings.length - mostShown;
  return [...lines, ...(more > 0 ? [`- and ${more} more`] : [])].join('\n');
}
