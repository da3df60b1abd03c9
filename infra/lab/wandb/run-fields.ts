import { stat } from 'node:fs/promises';
import { join } from 'node:path';

import { parseLooseJson } from '../../wandb/loose-json.ts';
import { countedRows, historyKeys, historyRows, inRange, sample, sampledRows } from './history.ts';
import { runState } from './run-record.ts';
import type { StoredRun } from './run-store.ts';
import { unlessMissing } from '../../unless-missing.ts';

/** What the resolvers of a run need besides the run itself. */
export interface RunFieldsContext {
  readonly baseUrl: string;
  readonly lateCountMs: () => number;
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
  const lastCounted = () => run.history.lines.slice(0, countedRows(run, context.lateCountMs()));
  return {
    id: record.id,
    projectId: '1',
    name: record.runId,
    displayName: record.displayName,
    description: record.notes,
    notes: record.notes,
    state: runState(record, Date.now()),
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
    systemMetrics: () => run.events.lines.at(-1) ?? '{}',
    historyLineCount: () => countedRows(run, context.lateCountMs()),
    eventsLineCount: run.events.lines.length,
    logLineCount: run.output.lines.length,
    historyTail: () => JSON.stringify(run.history.lines.slice(-1)),
    eventsTail: () => JSON.stringify(run.events.lines.slice(-1)),
    historyKeys: () => historyKeys(historyRows(run).slice(0, lastCounted().length)),
    history: (args: HistoryArguments) => rawHistory(run, args),
    events: ({ samples }: HistoryArguments) => sample(run.events.lines, samples ?? 500),
    sampledHistory: ({ specs }: { specs: readonly string[] }) =>
      specs.map((spec) => sampledRows(historyRows(run), spec)),
    parquetHistory: { parquetUrls: [], liveData: [] },
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

function rawHistory(run: StoredRun, { samples, minStep, maxStep }: HistoryArguments): string[] {
  const rows = historyRows(run);
  const lines = run.history.lines.filter((line, index) => {
    const row = rows[index];
    return line !== '' && row !== undefined && inRange(row, minStep ?? -Infinity, maxStep ?? Infinity);
  });
  return sample(lines, samples ?? 500);
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
        // Announced but never uploaded: W&B tells it by a missing time.
        updatedAt: found === undefined ? null : found.mtime.toISOString(),
      };
    }),
  );
  return connection(nodes, page(args));
}

function wandbConfig(configText: string, keys: readonly string[]): string | null {
  const config = parseLooseJson(configText) as { _wandb?: { value?: Record<string, unknown> } };
  const inner = config._wandb?.value ?? {};
  const found = keys.filter((key) => key in inner).map((key) => [key, inner[key]]);
  return found.length === 0 ? null : JSON.stringify(Object.fromEntries(found));
}
