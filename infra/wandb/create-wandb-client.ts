import { z } from 'zod';

import type { WandbSettings } from '../settings.ts';
import { parseLooseJson } from './loose-json.ts';
import { type AskRange, readHistory } from './read-history.ts';
import type { RunPath, WandbClient, WandbRun } from './wandb-client.ts';
import { appUrl, createWandbGraphql } from './wandb-graphql.ts';

const runFields = `
  name displayName state group tags config summaryMetrics historyLineCount historyKeys
`;

const viewerQuery = `query Viewer { viewer { entity } }`;

const runQuery = `query Run($entity: String!, $project: String!, $runId: String!) {
  project(name: $project, entityName: $entity) { run(name: $runId) { ${runFields} } }
}`;

const historyQuery = `query RunSampledHistory($entity: String!, $project: String!, $runId: String!, $specs: [JSONString!]!) {
  project(name: $project, entityName: $entity) { run(name: $runId) { sampledHistory(specs: $specs) } }
}`;

const runsQuery = `query Runs($entity: String!, $project: String!, $filters: JSONString, $first: Int!) {
  project(name: $project, entityName: $entity) {
    runs(filters: $filters, first: $first, order: "-createdAt") { edges { node { ${runFields} } } }
  }
}`;

const runsLimit = 100;

/** Config and summary come as JSON text inside of the JSON. */
const JsonText = z
  .string()
  .nullish()
  .transform((text, context): Record<string, unknown> => {
    if (text === null || text === undefined || text === '') return {};
    try {
      return z.record(z.string(), z.unknown()).parse(parseLooseJson(text));
    } catch (error) {
      context.addIssue(`no JSON object: ${String(error)}`);
      return z.NEVER;
    }
  });

const RunNode = z.object({
  name: z.string(),
  displayName: z.string().nullish(),
  state: z.string(),
  group: z.string().nullish(),
  tags: z.array(z.string()).nullish(),
  config: JsonText,
  summaryMetrics: JsonText,
  historyLineCount: z.number().nullish(),
  historyKeys: z
    .object({
      lastStep: z.number().nullish(),
      keys: z
        .record(z.string(), z.object({ typeCounts: z.array(z.object({ count: z.number() })).nullish() }))
        .nullish(),
    })
    .nullish(),
});

const ViewerData = z.object({ viewer: z.object({ entity: z.string().nullish() }).nullable() });
const RunData = z.object({ project: z.object({ run: RunNode.nullable() }).nullable() });
const HistoryData = z.object({
  project: z
    .object({
      run: z
        .object({ sampledHistory: z.array(z.array(z.record(z.string(), z.unknown())).nullable()).nullable() })
        .nullable(),
    })
    .nullable(),
});
const RunsData = z.object({
  project: z.object({ runs: z.object({ edges: z.array(z.object({ node: RunNode })) }) }).nullable(),
});

/** Reads from the W&B server of the settings, by its GraphQL interface. */
export function createWandbClient(settings: WandbSettings): WandbClient {
  const graphql = createWandbGraphql(settings);
  const toRun = (path: Omit<RunPath, 'runId'>, node: z.infer<typeof RunNode>): WandbRun =>
    describeRun({ ...path, runId: node.name }, node, settings.baseUrl);
  return {
    async defaultEntity(signal) {
      const { viewer } = await graphql({ query: viewerQuery, variables: {}, data: ViewerData, signal });
      return viewer?.entity ?? null;
    },
    async run({ entity, project, runId }, signal) {
      const variables = { entity, project, runId };
      const data = await graphql({ query: runQuery, variables, data: RunData, signal });
      const node = data.project?.run;
      return node === null || node === undefined ? null : toRun({ entity, project }, node);
    },
    async history(run, metric, signal) {
      const { entity, project, runId } = run;
      const ask: AskRange = async ({ from, to, samples }) => {
        const spec = { keys: ['_step', metric], samples, minStep: from, maxStep: to };
        const variables = { entity, project, runId, specs: [JSON.stringify(spec)] };
        const data = await graphql({ query: historyQuery, variables, data: HistoryData, signal });
        return data.project?.run?.sampledHistory?.[0] ?? [];
      };
      const { metricRows, lastStep } = run;
      const expected = metricRows === null ? null : (metricRows[metric] ?? 0);
      return readHistory(ask, { metric, lastStep: lastStep ?? -1, expected });
    },
    async runs({ entity, project }, filter, signal) {
      const variables = { entity, project, filters: JSON.stringify(filter), first: runsLimit };
      const data = await graphql({ query: runsQuery, variables, data: RunsData, signal });
      return (data.project?.runs.edges ?? []).map(({ node }) => toRun({ entity, project }, node));
    },
  };
}

function describeRun(path: RunPath, node: z.infer<typeof RunNode>, baseUrl: string): WandbRun {
  const lastStep = node.historyKeys?.lastStep ?? null;
  return {
    ...path,
    displayName: node.displayName || path.runId,
    state: node.state,
    group: node.group ?? null,
    tags: node.tags ?? [],
    rows: node.historyLineCount ?? 0,
    // A run without rows has -1.
    lastStep: lastStep !== null && lastStep < 0 ? null : lastStep,
    metricRows: countRows(node.historyKeys?.keys),
    summary: node.summaryMetrics,
    config: node.config,
    url: `${appUrl(baseUrl)}/${[path.entity, path.project, 'runs', path.runId].map(encodeURIComponent).join('/')}`,
  };
}

/** Of a metric that was logged as numbers and, say, once as text, both are counted. */
function countRows(keys: NonNullable<z.infer<typeof RunNode>['historyKeys']>['keys']) {
  if (keys === null || keys === undefined) return null;
  const counts = Object.entries(keys).map(([key, { typeCounts }]) => [
    key,
    (typeCounts ?? []).reduce((sum, { count }) => sum + count, 0),
  ]);
  return Object.fromEntries(counts) as Record<string, number>;
}
