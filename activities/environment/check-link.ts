import { readlink, realpath } from 'node:fs/promises';
import { isAbsolute } from 'node:path';

import { environmentFinding, type EnvironmentFinding } from '../../domain/environment-finding.ts';
import { unlessMissing } from '../../infra/unless-missing.ts';

import { isInside } from './is-inside.ts';
import type { ScanOptions } from './scan.ts';
import type { TreeEntry } from './walk-tree.ts';

/** A link must be relative, lead somewhere, and stay inside; the image's interpreter alone may be linked to. */
export async function checkLink(
  { path, name }: TreeEntry,
  options: ScanOptions,
): Promise<readonly EnvironmentFinding[]> {
  const target = await readlink(path);
  const real = await unlessMissing(realpath(path));
  if (real === undefined) {
    return [environmentFinding('dangling-link', name, `${name} links to ${target}, which does not exist.`)];
  }
  if (isInside(real, await realpath(options.folder))) {
    if (!isAbsolute(target)) return [];
    const sentence = `${name} is an absolute link (${target}): it breaks where the disk has another path.`;
    return [environmentFinding('absolute-link', name, sentence)];
  }
  const { interpreterPrefix } = options;
  if (interpreterPrefix !== null && isInside(real, await realpath(interpreterPrefix))) return [];
  const sentence = `${name} links out of the environment, to ${target}: it is not there for the job.`;
  return [environmentFinding('escaping-link', name, sentence)];
}
