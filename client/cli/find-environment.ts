import { isAbsolute, sep } from 'node:path';

import { listEnvironments, type ListedEnvironment } from '../../activities/environment/list-environments.ts';
import { ClientError } from '../client-error.ts';
import { pathFrom, type CliContext } from './context.ts';
import { UsageError } from './cli-errors.ts';

const shortest = 6;

/**
 * The one environment that a person means: by its digest or the beginning of it. Throws `ClientError` when there is none,
 * `UsageError` when there are several.
 */
export async function findEnvironment(sharedDir: string, name: string): Promise<ListedEnvironment> {
  const listed = await listEnvironments(sharedDir);
  const exact = listed.find((environment) => environment.name === name);
  if (exact !== undefined) return exact;
  const fitting = name.length < shortest ? [] : listed.filter((each) => each.name.startsWith(name));
  const [only] = fitting;
  if (only !== undefined && fitting.length === 1) return only;
  if (fitting.length > 1) {
    const names = fitting.map((each) => each.name).join(', ');
    throw new UsageError(`"${name}" fits several environments (${names}): give more of the digest.`);
  }
  throw new ClientError(
    'not-found',
    `There is no environment "${name}" below ${sharedDir}: expected a digest or at least ${shortest} characters of its beginning. See them with: environment list`,
  );
}

/** A folder where one was given, else that of the environment which is named. */
export async function environmentFolder(
  context: CliContext,
  sharedDir: string,
  name: string,
): Promise<string> {
  if (isAbsolute(name) || name.includes(sep) || name.startsWith('.')) return pathFrom(context, name);
  return (await findEnvironment(sharedDir, name)).folder;
}
