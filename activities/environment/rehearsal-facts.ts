import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

import { unlessMissing } from '../../infra/unless-missing.ts';

/** What a rehearsed command left behind about itself, in the folder that `rehearsal.sh` writes to. */
export interface RehearsalFacts {
  /** Null when the command was killed before its end could be written down. */
  readonly code: number | null;
  /** It was told to end because its time was up. */
  readonly timeIsUp: boolean;
  /** Where it tried to reach out: `host:port (file:line)`, each once; what only the kernel saw is told without names. */
  readonly connections: readonly string[];
}

const Attempt = z.object({
  host: z.string(),
  port: z.union([z.number(), z.string(), z.null()]),
  at: z.string(),
});
const mostConnections = 10;

/** Reads the records; what is missing is told as unknown, never as good. */
export async function readRehearsalFacts(folder: string): Promise<RehearsalFacts> {
  const [code, timeIsUp, counters, attempts] = await Promise.all(
    ['code', 'time-is-up', 'counters', 'connections'].map((name) =>
      unlessMissing(readFile(join(folder, name), 'utf8')),
    ),
  );
  const named = [...new Set((attempts ?? '').split('\n').flatMap(describeAttempt))];
  const unnamed = named.length === 0 && packetsWithoutWay(counters ?? '') > 0;
  const nobody = 'an address that only the kernel saw (by a program other than Python)';
  return {
    code: code === undefined ? null : Number(code),
    timeIsUp: timeIsUp !== undefined,
    connections: unnamed ? [nobody] : named.slice(0, mostConnections),
  };
}

function describeAttempt(line: string): string[] {
  if (line === '') return [];
  let attempt;
  try {
    attempt = Attempt.safeParse(JSON.parse(line)).data;
  } catch (error) {
    // The last line of a process that was killed may be cut.
    if (error instanceof SyntaxError) return [];
    throw error;
  }
  if (attempt === undefined) return [];
  return [`${attempt.host}${attempt.port === null ? '' : `:${attempt.port}`} (${attempt.at})`];
}

/**
 * How often the kernel had to say that there is no way to an address: connections, datagrams and look-ups of names alike.
 * In a network that has nothing but the loopback this is every attempt to reach out of it.
 */
export function packetsWithoutWay(counters: string): number {
  const lines = counters.split('\n').map((line) => line.trim().split(/\s+/));
  const [names, values] = lines.filter(([first]) => first === 'Ip:');
  const v4 = Number(values?.[names?.indexOf('OutNoRoutes') ?? -1] ?? 0);
  const v6 = Number(lines.find(([first]) => first === 'Ip6OutNoRoutes')?.[1] ?? 0);
  return v4 + v6;
}
