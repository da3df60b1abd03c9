import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { unlessMissing } from '../../infra/unless-missing.ts';
import { ClientError } from '../client-error.ts';

export interface SeedLog {
  readonly seed: number;
  /** Absolute; the file may not be there yet. */
  readonly path: string;
  /** The record that the job has ended; absolute. */
  readonly exitFile: string;
}

export interface ExperimentLogs {
  /** null when no job was ever prepared. */
  readonly attempt: number | null;
  readonly seeds: readonly SeedLog[];
  /** What the agents were told and did, as far as this machine sees it; absolute. */
  readonly transcripts: readonly string[];
}

export interface LogsWanted {
  readonly sharedDir: string;
  /** Of Hephaestus on this machine, for the transcripts of planning and of the note. */
  readonly home: string;
  readonly id: string;
  /** The newest when not given. */
  readonly attempt: number | undefined;
  /** All when not given. */
  readonly seed: number | undefined;
}

/** The logs of an experiment on the shared disk. Throws `ClientError` (`not-found`). */
export async function findLogs({
  sharedDir,
  home,
  id,
  attempt: wanted,
  seed,
}: LogsWanted): Promise<ExperimentLogs> {
  const folder = join(sharedDir, 'experiments', id);
  const names = await unlessMissing(readdir(folder));
  if (names === undefined) {
    const message = `${folder} is not there: expected the name of an experiment whose code was made, on a machine that sees the shared disk.`;
    throw new ClientError('not-found', message);
  }
  const attempts = await numbersIn(join(folder, 'attempts'));
  const attempt = wanted ?? attempts.at(-1) ?? null;
  if (wanted !== undefined && !attempts.includes(wanted)) throw noSuch('attempt', wanted, attempts, id);
  const place = join(folder, 'attempts', String(attempt));
  const seeds = attempt === null ? [] : await numbersIn(place);
  if (seed !== undefined && !seeds.includes(seed)) throw noSuch('seed', seed, seeds, id);
  return {
    attempt,
    seeds: seeds
      .filter((each) => seed === undefined || each === seed)
      .map((each) => ({
        seed: each,
        path: join(place, String(each), 'output.log'),
        exitFile: join(place, String(each), 'exit.json'),
      })),
    transcripts: [
      ...(await transcriptsIn(join(home, 'agents', 'transcripts'), (name) =>
        [`plan-${id}.jsonl`, `note-${id}.jsonl`].includes(name),
      )),
      ...(await transcriptsIn(join(folder, 'agent'), (name) => name.endsWith('.jsonl'))),
    ],
  };
}

async function transcriptsIn(folder: string, wanted: (name: string) => boolean): Promise<string[]> {
  const names = (await unlessMissing(readdir(folder))) ?? [];
  return names
    .filter(wanted)
    .toSorted()
    .map((name) => join(folder, name));
}

/** Ascending. */
async function numbersIn(folder: string): Promise<number[]> {
  const names = (await unlessMissing(readdir(folder))) ?? [];
  return names
    .filter((name) => /^\d{1,9}$/.test(name))
    .map(Number)
    .toSorted((a, b) => a - b);
}

function noSuch(what: string, wanted: number, there: readonly number[], id: string): ClientError {
  const known = there.length === 0 ? 'none' : there.join(', ');
  return new ClientError('not-found', `"${id}" has no ${what} ${wanted}: there is ${known}.`);
}
