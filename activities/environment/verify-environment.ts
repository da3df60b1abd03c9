import { realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { Failure } from '../../infra/failure.ts';
import { unlessMissing } from '../../infra/unless-missing.ts';
import { inspectInterpreter } from './interpreter.ts';
import { readProof, type Proof } from './proof.ts';
import { treeDigest } from './tree-digest.ts';
import { walkTree } from './walk-tree.ts';

export interface Difference {
  readonly code: 'no-proof' | 'another-digest' | 'content-changed' | 'broken-link' | 'interpreter-differs';
  /** What was found, what was expected, and what to do. */
  readonly sentence: string;
}

export interface Verification {
  readonly folder: string;
  /** Null when there is no proof that can be read. */
  readonly proof: Proof | null;
  /** Empty when the environment is what its proof says, and starts on this machine. */
  readonly differences: readonly Difference[];
  /** What is no fault but good to know, as sentences. */
  readonly notes: readonly string[];
}

const mostLinks = 10;

/**
 * Tells whether an environment, on whatever machine it stands now, is still what its proof says: everything in it, what
 * its links lead to, and the interpreter that it starts with. Nothing is changed, and nothing but Python is started.
 */
export async function verifyEnvironment(
  folder: string,
  environment: Readonly<Record<string, string>>,
): Promise<Verification> {
  const proof = await readProof(folder);
  if (proof === undefined) {
    const sentence = `${folder} holds no environment.json that can be read: it was never proven, or by another version. Freeze it again.`;
    return { folder, proof: null, differences: [{ code: 'no-proof', sentence }], notes: [] };
  }
  const [content, links, interpreter] = await Promise.all([
    changedContent(folder, proof),
    brokenLinks(folder),
    otherInterpreter(folder, proof, environment),
  ]);
  return {
    folder,
    proof,
    differences: [...otherDigest(folder, proof), ...content, ...links, ...interpreter],
    notes: notesOf(folder, proof),
  };
}

function otherDigest(folder: string, { digest }: Proof): Difference[] {
  if (basename(folder) === digest) return [];
  const sentence = `The folder is ${basename(folder)}, its proof is of ${digest}: expected the same. Jobs look for the digest; rename the folder.`;
  return [{ code: 'another-digest', sentence }];
}

async function changedContent(folder: string, proof: Proof): Promise<Difference[]> {
  const { digest, files, bytes } = await treeDigest(folder);
  if (digest === proof.treeDigest) return [];
  const sizes =
    files === proof.files && bytes === proof.bytes
      ? 'there are as many files and bytes as then, so a file or its permissions were changed'
      : `now ${files} files of ${bytes} bytes, then ${proof.files} of ${proof.bytes}`;
  const sentence = `The content is not what was proven (tree digest ${digest.slice(0, 12)}…, expected ${proof.treeDigest.slice(0, 12)}…): ${sizes}. Remove it and freeze again.`;
  return [{ code: 'content-changed', sentence }];
}

/** The digest holds what links say; whether that is there depends on the machine. */
async function brokenLinks(folder: string): Promise<Difference[]> {
  const links = (await walkTree(folder)).filter(({ stats }) => stats.isSymbolicLink());
  const targets = await Promise.all(links.map(({ path }) => unlessMissing(realpath(path))));
  const broken = links.filter((_, index) => targets[index] === undefined).map(({ name }) => name);
  if (broken.length === 0) return [];
  const more = broken.length > mostLinks ? ` and ${broken.length - mostLinks} more` : '';
  const sentence = `Links lead nowhere on this machine: ${broken.slice(0, mostLinks).join(', ')}${more}. The interpreter of the image must stand at the same path here.`;
  return [{ code: 'broken-link', sentence }];
}

async function otherInterpreter(
  folder: string,
  { python }: Proof,
  environment: Readonly<Record<string, string>>,
): Promise<Difference[]> {
  try {
    await inspectInterpreter(join(folder, 'venv', 'bin', 'python'), python.version, environment);
    return [];
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const sentence = `It was proven with Python ${python.version}: ${error.message}`;
    return [{ code: 'interpreter-differs', sentence }];
  }
}

function notesOf(folder: string, { path, rehearsal, told }: Proof): string[] {
  return [
    ...(path === folder
      ? []
      : [`It belongs at ${path}, where jobs see it; its activate script works there and not at ${folder}.`]),
    ...rehearsal.missingGuarantees,
    ...told.map(({ sentence }) => sentence),
  ];
}
