import type { ServerSight } from '../../domain/run-state.ts';
import { type ItemTree, treeText } from './item-tree.ts';
import { parseLooseJson } from './loose-json.ts';
import type { RunLogs } from './run-logs.ts';
import { isEnded, type RunPath, type WandbClient, type WandbRun } from './wandb-client.ts';
import type { WandbWriter } from './wandb-writer.ts';

export interface SeenRun {
  readonly sight: ServerSight;
  readonly run: WandbRun | null;
}

/** Reads a run back from the server and compares it with its log. The files are asked for only where all else agrees. */
export async function seeRun(
  { client, writer }: { readonly client: WandbClient; readonly writer: WandbWriter },
  path: RunPath,
  found: RunLogs,
  signal: AbortSignal,
): Promise<SeenRun> {
  const run = await client.run(path, signal);
  if (run === null) return { sight: { status: 'absent' }, run };
  const whole = run.rows === found.rows && run.lastStep === found.lastStep && isEnded(run.state);
  const there =
    whole && found.files.length > 0 ? await writer.arrived(path, found.files, signal) : new Set<string>();
  const sight: ServerSight = {
    status: 'known',
    rows: run.rows,
    lastStep: run.lastStep,
    state: run.state,
    summaryDiffers: whole ? differingNames(found.summary, run.summary) : [],
    filesMissing: whole ? found.files.filter((name) => !there.has(name)) : [],
  };
  return { sight, run };
}

/** Names of the summary that the server shows in another way. W&B's own names and values that it rewrites are left out. */
function differingNames(logged: ItemTree, shown: Readonly<Record<string, unknown>>): string[] {
  return [...logged].flatMap(([name, value]) => {
    if (name.startsWith('_')) return [];
    const text = typeof value === 'string' ? value : treeText(value);
    return sameNumbers(parseLooseJson(text), shown[name]) ? [] : [name];
  });
}

/** Numbers have to be the same wherever they stand; texts are shortened and media are described anew by servers. */
function sameNumbers(expected: unknown, found: unknown): boolean {
  if (typeof expected === 'number') {
    const error = Math.abs(expected) * 1e-9;
    return typeof found === 'number' && Math.abs(found - expected) <= error;
  }
  if (typeof expected !== 'object' || expected === null || Array.isArray(expected)) return true;
  if ('_type' in expected) return true;
  if (typeof found !== 'object' || found === null) return false;
  const members = found as Readonly<Record<string, unknown>>;
  return Object.entries(expected).every(([name, value]) => sameNumbers(value, members[name]));
}
