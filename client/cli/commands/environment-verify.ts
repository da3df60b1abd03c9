import { verifyEnvironment, type Verification } from '../../../activities/environment/verify-environment.ts';
import { loadDiskConfig } from '../../../infra/config/load-config.ts';
import { childEnvironment } from '../../../infra/tools/tool-environment.ts';
import { run, type CliContext, type DataOptions } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { environmentFolder } from '../find-environment.ts';
import { clean, moment } from '../format.ts';

/** `environment verify`: exit code 1 when it is not what its proof says. */
export async function verifyByHand(context: CliContext, name: string, options: DataOptions): Promise<void> {
  await run(context, options, async (output) => {
    const { sharedDisk } = loadDiskConfig(context);
    const folder = await environmentFolder(context, sharedDisk.sharedDir, name);
    output.progress(output.colours.dim(`reading ${folder}`));
    const verification = await verifyEnvironment(folder, childEnvironment(context.env));
    const { proof, differences, notes } = verification;
    const same = differences.length === 0;
    output.answer({ folder, digest: proof?.digest ?? null, same, differences, notes }, linesOf(verification));
    return same ? exitCodes.done : exitCodes.endedBadly;
  });
}

function linesOf({ folder, proof, differences, notes }: Verification): string[] {
  const verdict =
    proof !== null && differences.length === 0
      ? `${folder} is what its proof of ${moment(proof.createdAt)} says: ${proof.files} files, Python ${proof.python.version}.`
      : `${folder} is not what it should be:`;
  return [
    verdict,
    ...differences.map(({ code, sentence }) => `  ${code}: ${clean(sentence)}`),
    ...notes.map((note) => `  note: ${clean(note)}`),
  ];
}
