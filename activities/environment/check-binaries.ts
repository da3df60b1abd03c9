import { readdir } from 'node:fs/promises';
import { basename, dirname, normalize } from 'node:path';

import { environmentFinding, type EnvironmentFinding } from '../../domain/environment-finding.ts';
import { unlessMissing } from '../../infra/unless-missing.ts';

import { isInside } from './is-inside.ts';
import { readElf, type ElfFile } from './read-elf.ts';
import type { ScanOptions } from './scan.ts';
import type { TreeEntry } from './walk-tree.ts';

export interface BinarySummary {
  /** ELF files. */
  readonly binaries: number;
  /** Highest version that any of them asks for, for example 2.28; null when none asks. */
  readonly glibc: string | null;
  readonly glibcxx: string | null;
  /** What `glibc` was held against. */
  readonly glibcLimit: string | null;
  /** Libraries that neither the environment nor every Linux brings, sorted. */
  readonly missingLibraries: readonly string[];
  /** Search paths from elsewhere that are harmless: nothing is found there, and nothing is missing without them. */
  readonly harmlessSearchPaths: readonly string[];
}

/** What any image with glibc has, by the manylinux policy; and what the driver of a GPU brings. */
const everywhere =
  /^(?:ld-linux.*|lib(?:c|m|dl|rt|pthread|util|resolv|nsl|crypt|z|gcc_s|stdc\+\+|cuda|nvidia-ml|nvcuvid))\.so(?:\.\d+)*$/;
const systemFolders = /^(?:\/usr)?\/lib(?:64|32|\/[^/]+-linux-gnu[^/]*)?$/;

interface Known {
  readonly options: ScanOptions;
  /** Names of all files, links included: what one of them asks for may be loaded by another before it. */
  readonly names: ReadonlySet<string>;
  /** Names of the libraries that this machine's system has. */
  readonly system: ReadonlySet<string>;
  readonly machine: string;
  readonly limit: string | null;
}

/** Whether a file is worth a look: libraries by their name, programs by their permission. */
function mayBeBinary({ name, stats }: TreeEntry): boolean {
  return stats.isFile() && stats.size > 0 && (/\.so(?:\.|$)/.test(name) || (stats.mode & 0o111) !== 0);
}

/** What binaries need of the machine that they run on: libraries, where they look for them, and the version of glibc. */
export async function checkBinaries(
  entries: readonly TreeEntry[],
  options: ScanOptions,
): Promise<{ readonly findings: readonly EnvironmentFinding[]; readonly summary: BinarySummary }> {
  const candidates = new Map(entries.filter(mayBeBinary).map(({ path, name }) => [path, name]));
  const report = await readElf([...candidates.keys()], options.python);
  const known: Known = {
    options,
    names: new Set(entries.map(({ name }) => basename(name))),
    system: await systemLibraries(report.machine),
    machine: report.machine,
    limit: options.glibc ?? report.glibc,
  };
  const findings: EnvironmentFinding[] = [];
  const missing = new Map<string, string>();
  const harmless = new Set<string>();
  const read: ElfFile[] = [];
  for (const [path, elf] of Object.entries(report.files)) {
    const name = candidates.get(path) ?? path;
    if ('error' in elf) {
      findings.push(damaged(name, elf.error));
      continue;
    }
    read.push(elf);
    const foreign = foreignSearchPaths(path, elf, known);
    const blamed = await blamedSearchPaths(name, elf, foreign, known);
    findings.push(...checkOne(name, elf, known), ...blamed);
    if (blamed.length === 0) for (const folder of foreign) harmless.add(folder);
    for (const library of missingLibraries(elf, known)) missing.set(library, missing.get(library) ?? name);
  }
  const summary = {
    binaries: Object.keys(report.files).length,
    glibc: highest(read.map(({ versions }) => versions['GLIBC'])),
    glibcxx: highest(read.map(({ versions }) => versions['GLIBCXX'])),
    glibcLimit: known.limit,
    missingLibraries: [...missing.keys()].toSorted(),
    harmlessSearchPaths: [...harmless].toSorted(),
  };
  const told = [...missing].map(([library, name]) =>
    environmentFinding(
      'missing-library',
      name,
      `${name} needs ${library}, which neither the environment nor every Linux has.`,
    ),
  );
  return { findings: [...findings, ...told], summary };
}

function damaged(name: string, error: string): EnvironmentFinding {
  return environmentFinding(
    'damaged-binary',
    name,
    `${name} begins as a binary and cannot be read as one (${error}): it would not load.`,
  );
}

function* checkOne(name: string, elf: ElfFile, known: Known): Generator<EnvironmentFinding> {
  const wanted = elf.versions['GLIBC'];
  if (known.limit !== null && wanted !== undefined && compareVersions(wanted, known.limit) > 0) {
    const sentence = `${name} needs glibc ${wanted}, and the image has ${known.limit}: it would not load.`;
    yield environmentFinding('glibc-too-new', name, sentence);
  }
  if (machines[known.machine] !== undefined && elf.machine !== machines[known.machine]) {
    const sentence = `${name} is for ${elf.machine}, not for ${known.machine}: it cannot be loaded here.`;
    yield environmentFinding('foreign-architecture', name, sentence);
  }
}

/** ELF's word for what the kernel calls its machine. */
const machines: Readonly<Record<string, string>> = { x86_64: 'EM_X86_64', aarch64: 'EM_AARCH64' };

function missingLibraries(elf: ElfFile, { names }: Known): readonly string[] {
  return elf.needed.filter((library) => !everywhere.test(library) && !names.has(basename(library)));
}

/** The folders that a binary searches, outside the environment, its interpreter and the system. */
function foreignSearchPaths(path: string, elf: ElfFile, { options }: Known): readonly string[] {
  const allowed = [options.folder, options.path, options.interpreterPrefix].filter(
    (folder) => folder !== null,
  );
  return elf.search
    .map((entry) =>
      normalize(entry.replace(/\$(?:ORIGIN|\{ORIGIN\})/, dirname(path))).replace(/(.)\/$/, '$1'),
    )
    .filter((folder) => !systemFolders.test(folder) && !allowed.some((inside) => isInside(folder, inside)));
}

/**
 * A search path from elsewhere is what the build of a wheel often leaves behind. It matters where something needed
 * stands there on this machine (the job would not have it), and where it is the only place that something can come from.
 */
async function blamedSearchPaths(
  name: string,
  elf: ElfFile,
  foreign: readonly string[],
  known: Known,
): Promise<readonly EnvironmentFinding[]> {
  const findings: EnvironmentFinding[] = [];
  for (const folder of foreign) {
    const there = new Set((await unlessMissing(readdir(folder))) ?? []);
    const found = elf.needed.find((library) => there.has(library));
    const lacking = missingLibraries(elf, known).find((library) => !known.system.has(library));
    const reason =
      found !== undefined
        ? `${found} is loaded from there on this machine`
        : lacking !== undefined
          ? `${lacking} can come from nowhere else`
          : undefined;
    if (reason === undefined) continue;
    const sentence = `${name} looks for libraries in ${folder}, outside the environment: ${reason}.`;
    findings.push(environmentFinding('foreign-library-path', name, sentence));
  }
  return findings;
}

async function systemLibraries(machine: string): Promise<ReadonlySet<string>> {
  const folders = [
    '/lib',
    '/lib64',
    '/usr/lib',
    '/usr/lib64',
    `/lib/${machine}-linux-gnu`,
    `/usr/lib/${machine}-linux-gnu`,
  ];
  const names = await Promise.all(
    folders.map(async (folder) => (await unlessMissing(readdir(folder))) ?? []),
  );
  return new Set(names.flat());
}

function highest(versions: readonly (string | undefined)[]): string | null {
  return (
    versions
      .filter((version) => version !== undefined)
      .toSorted(compareVersions)
      .at(-1) ?? null
  );
}

/** By numbers, part after part: 2.9 is before 2.17. */
export function compareVersions(one: string, other: string): number {
  return one.localeCompare(other, 'en', { numeric: true });
}
