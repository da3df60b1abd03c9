import { setTimeout as sleep } from 'node:timers/promises';

import type { AxiosResponse } from 'axios';
import { z } from 'zod';

import { Failure } from '../failure.ts';
import type { WandbSettings } from '../settings.ts';
import { treeText } from './item-tree.ts';
import type { LoggedRun } from './transaction-log.ts';
import type { RunPath } from './wandb-client.ts';
import { checkStatus, createWandbGraphql, createWandbHttp, post } from './wandb-graphql.ts';

/**
 * Writes rows to a W&B server by their index, so that whatever is sent twice is there once. Every method throws `Failure`:
 * `WandbUnauthorized`, `WandbUnavailable` (`retryAfterMs` where the server said so), `WandbRunDeleted`.
 */
export interface WandbWriter {
  /** Rows that the server holds of a run; told some seconds late by wandb.ai. Null when there is no such run. */
  rows(path: RunPath, signal: AbortSignal): Promise<number | null>;
  /** Makes the run from what its log says of it, or finds it; returns the rows that it holds. */
  create(path: RunPath, run: LoggedRun, signal: AbortSignal): Promise<number>;
  /** Sets the lines from `offset` on. Without lines it only says that the run is alive. */
  send(path: RunPath, offset: number, lines: readonly string[], signal: AbortSignal): Promise<void>;
  /** Sets the summary of a run that has ended, with its end, so that it does not look alive again. */
  sendSummary(path: RunPath, summary: string, exitCode: number, signal: AbortSignal): Promise<void>;
  /** Which of these files of a run have arrived. */
  arrived(path: RunPath, names: readonly string[], signal: AbortSignal): Promise<ReadonlySet<string>>;
}

const rowsQuery = `query RunRows($entity: String!, $project: String!, $runId: String!) {
  project(name: $project, entityName: $entity) { run(name: $runId) { historyLineCount } }
}`;

const filesQuery = `query RunFiles($entity: String!, $project: String!, $runId: String!, $names: [String], $first: Int) {
  project(name: $project, entityName: $entity) {
    run(name: $runId) { files(names: $names, first: $first) { edges { node { name updatedAt } } } }
  }
}`;

const upsertMutation = `mutation UpsertBucket($input: UpsertBucketInput!) {
  upsertBucket(input: $input) { bucket { historyLineCount } inserted }
}`;

const Rows = z.object({
  project: z.object({ run: z.object({ historyLineCount: z.number().nullish() }).nullable() }).nullable(),
});
const Upserted = z.object({
  upsertBucket: z.object({ bucket: z.object({ historyLineCount: z.number().nullish() }) }),
});
const FileNode = z.object({ name: z.string(), updatedAt: z.string().nullish() });
const Files = z.object({
  project: z
    .object({
      run: z
        .object({ files: z.object({ edges: z.array(z.object({ node: FileNode })) }).nullable() })
        .nullable(),
    })
    .nullable(),
});

/** Servers bear two requests a second for a run; a little less leaves room for a clock that is coarse. */
const gapMs = 550;
const filesPerQuery = 200;

/** A writer for the server of the settings; it keeps the pauses between the requests of each run. */
export function createWandbWriter(settings: WandbSettings): WandbWriter {
  const graphql = createWandbGraphql(settings);
  const http = createWandbHttp(settings);
  const pauses = new Pauses();
  const stream = async (path: RunPath, body: object, signal: AbortSignal): Promise<void> => {
    const name = [path.entity, path.project, path.runId].map(encodeURIComponent).join('/');
    await pauses.wait(name, signal);
    const response = await post(http, `/files/${name}/file_stream`, body, signal);
    pauses.heed(name, response);
    if (response.status === 404) {
      throw new Failure(
        'WandbUnavailable',
        `W&B at ${settings.baseUrl} has no run ${path.entity}/${path.project}/${path.runId} any more (HTTP 404). It is made again if its id may be used; if this lasts, look whether it was deleted or moved.`,
      );
    }
    checkStatus(response, settings.baseUrl);
  };
  return {
    async rows(path, signal) {
      const { project } = await graphql({ query: rowsQuery, variables: { ...path }, data: Rows, signal });
      const run = project?.run;
      return run === null || run === undefined ? null : (run.historyLineCount ?? 0);
    },
    async create(path, run, signal) {
      const variables = { input: upsertInput(path, run) };
      const { upsertBucket } = await graphql({ query: upsertMutation, variables, data: Upserted, signal });
      return upsertBucket.bucket.historyLineCount ?? 0;
    },
    async send(path, offset, lines, signal) {
      const files = { 'wandb-history.jsonl': { offset, content: lines } };
      await stream(path, lines.length === 0 ? {} : { files }, signal);
    },
    async sendSummary(path, summary, exitCode, signal) {
      const files = { 'wandb-summary.json': { offset: 0, content: [summary] } };
      await stream(path, { files, complete: true, exitcode: exitCode }, signal);
    },
    async arrived(path, names, signal) {
      const found = new Set<string>();
      for (let start = 0; start < names.length; start += filesPerQuery) {
        const some = names.slice(start, start + filesPerQuery);
        const variables = { ...path, names: some, first: some.length };
        const { project } = await graphql({ query: filesQuery, variables, data: Files, signal });
        for (const { node } of project?.run?.files?.edges ?? []) {
          // Announced but never uploaded: W&B tells it by a missing time.
          if (typeof node.updatedAt === 'string') found.add(node.name);
        }
      }
      return found;
    },
  };
}

function upsertInput({ entity, project, runId }: RunPath, run: LoggedRun): object {
  const config = [...run.config].map(([name, value]) => {
    const text = typeof value === 'string' ? value : treeText(value);
    return `${JSON.stringify(name)}:{"value":${text}}`;
  });
  return {
    name: runId,
    entityName: entity,
    modelName: project,
    ...(run.group !== '' && { groupName: run.group }),
    ...(run.jobType !== '' && { jobType: run.jobType }),
    ...(run.displayName !== '' && { displayName: run.displayName }),
    ...(run.notes !== '' && { notes: run.notes }),
    ...(run.host !== '' && { host: run.host }),
    ...(run.tags.length > 0 && { tags: run.tags }),
    ...(config.length > 0 && { config: `{${config.join(',')}}` }),
  };
}

/** When the next request of each run may go out, by this process's own monotonic clock. */
class Pauses {
  readonly #next = new Map<string, number>();

  async wait(name: string, signal: AbortSignal): Promise<void> {
    const now = performance.now();
    const at = Math.max(now, this.#next.get(name) ?? 0);
    this.#next.set(name, at + gapMs);
    if (at > now) await sleep(at - now, undefined, { signal });
    signal.throwIfAborted();
  }

  /** `RateLimit-Remaining: 0` asks for silence until `RateLimit-Reset`, in seconds. */
  heed(name: string, { headers }: AxiosResponse<unknown>): void {
    const remaining = Number(headers['ratelimit-remaining'] ?? Number.NaN);
    const reset = Number(headers['ratelimit-reset'] ?? Number.NaN);
    if (remaining !== 0 || !(reset > 0)) return;
    const wait = Math.min(reset * 1000, longestPauseMs);
    this.#next.set(name, Math.max(this.#next.get(name) ?? 0, performance.now() + wait));
  }
}

/** A server that asks for more than this is asked again all the same. */
const longestPauseMs = 60_000;
