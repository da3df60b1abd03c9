import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { parseLooseJson } from '../../wandb/loose-json.ts';
import { runState } from './run-record.ts';
import type { RunKey } from './run-record.ts';
import type { StoredRun } from './run-store.ts';
import type { Settings } from './settings.ts';
import { unlessMissing } from '../../unless-missing.ts';

/** What the resolvers of a run need besides the run itself. */
export interface RunFieldsContext {
  readonly baseUrl: string;
  readonly settings: () => Settings;
  readonly artifacts: (run: RunKey) => readonly object[];
  readonly project: (entity: string, project: string) => object;
}

interface PageArguments {
  readonly names?: readonly string[] | null;
  readonly after?: string | null;
  readonly first?: number | null;
}

interface HistoryArguments {
  readonly samples?: number | null;
  readonly minStep?: number | null;
  readonly maxStep?: number | null;
}

/** A run as the GraphQL type `Run`: plain values, and functions for what takes arguments or work. */
export function runFields(run: StoredRun, context: RunFieldsContext): object {
  const { record } = run;
  const { settings } = context;
  const counted = () => run.history.count(settings().lateCountSeconds * 1000);
  return {
    id: record.id,
    projectId: '1',
    name: record.runId,
    displayName: record.displayName,
    description: record.notes,
    notes: record.notes,
    state: runState(record, Date.now(), settings().crashedAfterSeconds),
    group: record.group,
    groupName: record.group,
    jobType: record.jobType,
    commit: record.commit,
    host: record.host,
    tags: record.tags,
    readOnly: false,
    stopped: false,
    createdAt: new Date(record.createdAt).toISOString(),
    heartbeatAt: new Date(record.heartbeatAt).toISOString(),
    computeSeconds: Math.round((record.heartbeatAt - record.createdAt) / 1000),
    user: { id: 'VXNlcjox', username: record.entity, entity: record.entity },
    project: () => context.project(record.entity, record.project),
    config: record.config,
    wandbConfig: ({ keys }: { keys?: readonly string[] | null }) => wandbConfig(record.config, keys ?? []),
    summaryMetrics: record.summary,
    systemMetrics: async () => (await run.events.tail(1))[0] ?? '{}',
    historyLineCount: counted,
    eventsLineCount: () => run.events.count(),
    logLineCount: () => run.output.count(),
    historyTail: async () => JSON.stringify(await run.history.tail(1)),
    eventsTail: async () => JSON.stringify(await run.events.tail(1)),
    historyKeys: async () => run.history.keys(await counted()),
    history: ({ samples, minStep, maxStep }: HistoryArguments) =>
      run.history.lines(samples ?? 500, minStep ?? -Infinity, maxStep ?? Infinity, settings().sampling),
    events: ({ samples }: HistoryArguments) => thinned(run, samples ?? 500),
    sampledHistory: ({ specs }: { specs: readonly string[] }) =>
      Promise.all(specs.map((spec) => run.history.sampled(spec, settings().sampling))),
    parquetHistory: { parquetUrls: [], liveData: [] },
    outputArtifacts: (args: PageArguments) => connection(context.artifacts(record), page(args)),
    fileCount: record.files.length,
    files: (args: PageArguments) => fileConnection(run, context, args),
  };
}

/** Where the content of one of the run's files lies; the name may hold slashes, the file has none. */
export function runFilePath(run: StoredRun, name: string): string {
  return join(run.directory, 'files', encodeURIComponent(name).replaceAll('.', '%2E'));
}

/** The address at which a run's file is written (PUT) and read (GET). */
export function runFileUrl(run: StoredRun, baseUrl: string, name: string): string {
  const { entity, project, runId } = run.record;
  return `${baseUrl}/storage/${[entity, project, runId, name].map(encodeURIComponent).join('/')}`;
}

export interface Page {
  readonly from: number;
  readonly to: number;
}

export function page(args: PageArguments): Page {
  const from = args.after === null || args.after === undefined ? 0 : Number(args.after) + 1;
  return { from, to: from + (args.first ?? 50) };
}

export function connection(items: readonly object[], { from, to }: Page): object {
  const edges = items.slice(from, to).map((node, index) => ({ node, cursor: String(from + index) }));
  return {
    totalCount: items.length,
    edges,
    pageInfo: { endCursor: edges.at(-1)?.cursor ?? null, hasNextPage: to < items.length },
  };
}

/** Lines of the machine's own metrics, evenly spaced. */
async function thinned(run: StoredRun, samples: number): Promise<string[]> {
  const count = await run.events.count();
  const stride = Math.max(1, count / samples);
  const length = Math.min(count, samples);
  return run.events.read(Array.from({ length }, (_, index) => Math.floor(index * stride)));
}

async function fileConnection(
  run: StoredRun,
  context: RunFieldsContext,
  args: PageArguments,
): Promise<object> {
  // An empty list of names asks for all, as no list does.
  const wanted = args.names?.length ? args.names : run.record.files;
  const names = run.record.files.filter((name) => wanted.includes(name));
  const nodes = await Promise.all(
    names.map(async (name) => {
      const found = await unlessMissing(stat(runFilePath(run, name)));
      const url = runFileUrl(run, context.baseUrl, name);
      return {
        id: Buffer.from(`File:${run.record.runId}:${name}`).toString('base64'),
        name,
        url: () => url,
        directUrl: url,
        sizeBytes: found?.size ?? 0,
        md5: () => md5Of(runFilePath(run, name)),
        // Announced but never uploaded: W&B tells it by a missing time.
        updatedAt: found === undefined ? null : found.mtime.toISOString(),
      };
    }),
  );
  return connection(nodes, page(args));
}

/** As W&B tells it, in base64; null for a file that did not arrive. */
async function md5Of(path: string): Promise<string | null> {
  const content = await unlessMissing(readFile(path));
  return content === undefined ? null : createHash('md5').update(content).digest('base64');
}

function wandbConfig(configText: string, keys: readonly string[]): string | null {
  const config = parseLooseJson(configText) as { _wandb?: { value?: Record<string, unknown> } };
  const inner = config._wandb?.value ?? {};
  const found = keys.filter((key) => key in inner).map((key) => [key, inner[key]]);
  return found.length === 0 ? null : JSON.stringify(Object.fromEntries(found));
}
