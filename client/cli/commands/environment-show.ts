import {
  listEnvironments,
  type ListedEnvironment,
} from '../../../activities/environment/list-environments.ts';
import { readProof, type Proof } from '../../../activities/environment/proof.ts';
import { loadDiskConfig } from '../../../infra/config/load-config.ts';
import { ClientError } from '../../client-error.ts';
import { run, type CliContext, type DataOptions } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { findEnvironment } from '../find-environment.ts';
import { clean, duration, moment, round, table } from '../format.ts';

/** `environment show`: the proof, for people. */
export async function showEnvironment(
  context: CliContext,
  name: string,
  options: DataOptions,
): Promise<void> {
  await run(context, options, async (output) => {
    const { sharedDisk } = loadDiskConfig(context);
    const listed = await findEnvironment(sharedDisk.sharedDir, name);
    const proof = await readProof(listed.folder);
    if (proof === undefined) {
      throw new ClientError(
        'not-found',
        `${listed.folder} has no proof that can be read (${listed.status}): there is nothing to show. ${context.program} environment prune removes it unless somebody is building it.`,
      );
    }
    output.answer({ folder: listed.folder, usedBy: listed.usedBy, proof }, linesOf(listed, proof));
    return exitCodes.done;
  });
}

function linesOf({ folder, usedBy }: ListedEnvironment, proof: Proof): string[] {
  const { python, rehearsal, scan, packages } = proof;
  const rows = [
    ['environment', proof.digest],
    ['folder', folder],
    ['in the job', proof.path],
    [
      'Python',
      `${python.version}, ${python.managed ? 'brought along' : `of the image (${python.executable})`}`,
    ],
    ['size', `${proof.files} files, ${megabytes(proof.bytes)}`],
    ['made', `${moment(proof.createdAt)}, by uv ${clean(proof.uv.replace(/^uv /, ''))}`],
    [
      'took',
      Object.entries(proof.times)
        .map(([step, ms]) => `${step} ${duration(ms)}`)
        .join(', '),
    ],
    ['glibc', `needs ${scan.glibc ?? 'none'}, held against ${scan.glibcLimit ?? 'none'}`],
    ['rehearsal', `${rehearsal.imported.length} packages imported, isolation by ${rehearsal.isolation}`],
    ['used by', userNames(usedBy)],
  ];
  return [
    ...table(rows),
    ...rehearsal.missingGuarantees.map((sentence) => `not held: ${clean(sentence)}`),
    ...proof.told.map(({ code, sentence }) => `note (${code}): ${clean(sentence)}`),
    '',
    ...table(packages.map(({ name, version }) => [`  ${clean(name)}`, clean(version)])),
  ];
}

/** `environment list`. */
export async function listByHand(context: CliContext, options: DataOptions): Promise<void> {
  await run(context, options, async (output) => {
    const { sharedDir } = loadDiskConfig(context).sharedDisk;
    const environments = await listEnvironments(sharedDir);
    output.answer({ sharedDir, environments }, listLines(environments, sharedDir, context.program));
    return exitCodes.done;
  });
}

function listLines(listed: readonly ListedEnvironment[], sharedDir: string, program: string): string[] {
  if (listed.length === 0)
    return [`No environments below ${sharedDir}. Build one: ${program} environment freeze <folder>`];
  const rows = listed.map(({ name, status, bytes, createdAt, python, packages, usedBy }) => [
    name,
    status,
    megabytes(bytes),
    duration(Date.now() - new Date(createdAt).getTime()),
    python ?? '-',
    packages === null ? '-' : String(packages),
    userNames(usedBy),
  ]);
  const total = listed.reduce((sum, { bytes }) => sum + bytes, 0);
  return [
    ...table([['environment', 'state', 'size', 'age', 'Python', 'packages', 'used by'], ...rows]),
    `${listed.length} in ${sharedDir}/environments, ${megabytes(total)} together`,
  ];
}

function userNames(usedBy: ListedEnvironment['usedBy']): string {
  const names = [...new Set(usedBy.map(({ experiment }) => clean(experiment)))].toSorted();
  return names.length === 0 ? 'nobody' : names.join(', ');
}

export function megabytes(bytes: number): string {
  return bytes < 1e9 ? `${round(bytes / 1e6)} MB` : `${round(bytes / 1e9)} GB`;
}
