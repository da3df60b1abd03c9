import { GraphQLError } from 'graphql';

import { defaultProject, type GraphqlContext } from './graphql-context.ts';
import { describeRun } from './graphql-queries.ts';
import { HttpStatusError } from './http-status-error.ts';
import { runFileUrl } from './run-fields.ts';
import type { RunKey } from './run-record.ts';
import type { RunStore, StoredRun } from './run-store.ts';

interface UpsertBucketInput {
  readonly id?: string | null;
  readonly name?: string | null;
  readonly modelName?: string | null;
  readonly entityName?: string | null;
  readonly groupName?: string | null;
  readonly displayName?: string | null;
  readonly notes?: string | null;
  readonly config?: string | null;
  readonly commit?: string | null;
  readonly host?: string | null;
  readonly jobType?: string | null;
  readonly tags?: readonly string[] | null;
  readonly summaryMetrics?: string | null;
}

interface CreateRunFilesInput {
  readonly entityName: string;
  readonly projectName: string;
  readonly runName: string;
  readonly files: readonly string[];
}

/** The writing half of the interface. */
export function createMutations(context: GraphqlContext) {
  const { store } = context;
  return {
    async upsertBucket({ input }: { input: UpsertBucketInput }) {
      const { run, inserted } = await findBucket(input, context);
      if (run.record.deleted) {
        const { entity, project, runId } = run.record;
        throw new HttpStatusError(
          409,
          `run ${entity}/${project}/${runId} was previously created and deleted; try a new run name`,
        );
      }
      await store.update(run, { ...changesOf(input), heartbeatAt: Date.now() });
      return { bucket: describeRun(context, run), inserted };
    },
    async createRunFiles({ input }: { input: CreateRunFilesInput }) {
      const run = existing(store, {
        entity: input.entityName,
        project: input.projectName,
        runId: input.runName,
      });
      await store.update(run, { files: [...new Set([...run.record.files, ...input.files])] });
      const files = input.files.map((name) => ({
        name,
        uploadUrl: runFileUrl(run, context.baseUrl(), name),
      }));
      return { runID: run.record.id, uploadHeaders: [], files };
    },
    createArtifact() {
      throw new GraphQLError('this stand-in keeps no artifacts: nothing of it was stored');
    },
  };
}

async function findBucket(input: UpsertBucketInput, { store, entity }: GraphqlContext) {
  if (input.id !== null && input.id !== undefined) {
    const run = store.list().find(({ record }) => record.id === input.id);
    if (run === undefined) throw new HttpStatusError(404, `run ${input.id} not found`);
    return { run, inserted: false };
  }
  const entityName = input.entityName ?? entity;
  if (entityName !== entity) throw new HttpStatusError(404, `entity ${entityName} not found`);
  if (input.name === null || input.name === undefined)
    throw new HttpStatusError(400, 'a run needs an id or a name');
  return store.findOrCreate({
    entity: entityName,
    project: input.modelName ?? defaultProject,
    runId: input.name,
  });
}

function changesOf(input: UpsertBucketInput) {
  return {
    ...(input.displayName && { displayName: input.displayName }),
    ...(input.groupName && { group: input.groupName }),
    ...(input.notes && { notes: input.notes }),
    ...(input.config && { config: input.config }),
    ...(input.commit && { commit: input.commit }),
    ...(input.host && { host: input.host }),
    ...(input.jobType && { jobType: input.jobType }),
    ...(input.summaryMetrics && { summary: input.summaryMetrics }),
    ...(input.tags && { tags: [...input.tags] }),
  };
}

function existing(store: RunStore, key: RunKey): StoredRun {
  const run = store.find(key);
  if (run === undefined || run.record.deleted) {
    throw new HttpStatusError(404, `run ${key.entity}/${key.project}/${key.runId} not found`);
  }
  return run;
}
