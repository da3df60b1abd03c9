import { createArtifactMutations } from './artifact-mutations.ts';
import { defaultProject, type GraphqlContext } from './graphql-context.ts';
import { describeRun } from './graphql-queries.ts';
import { HttpStatusError } from './http-status-error.ts';
import { runFileUrl } from './run-fields.ts';
import { runOrRefuse } from './run-or-refuse.ts';

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
      const run = runOrRefuse(store, keyOf(input));
      refuseReadOnly(context, input.projectName);
      await store.update(run, { files: [...new Set([...run.record.files, ...input.files])] });
      const files = input.files.map((name) => ({
        name,
        uploadUrl: runFileUrl(run, context.baseUrl(), name),
      }));
      return { runID: run.record.id, uploadHeaders: [], files };
    },
    async markRunFilesUploaded({ input }: { input: CreateRunFilesInput }) {
      const run = runOrRefuse(store, keyOf(input));
      await store.update(run, { files: [...new Set([...run.record.files, ...input.files])] });
      return { success: true };
    },
    notifyScriptableRunAlert({ input }: { input: Omit<CreateRunFilesInput, 'files'> }) {
      runOrRefuse(store, keyOf(input));
      return { success: true };
    },
    ...createArtifactMutations(context),
  };
}

async function findBucket(input: UpsertBucketInput, context: GraphqlContext) {
  const { store, entity } = context;
  if (input.id !== null && input.id !== undefined) {
    const run = store.list().find(({ record }) => record.id === input.id);
    if (run === undefined) throw new HttpStatusError(404, `run ${input.id} not found`);
    return { run, inserted: false };
  }
  // Clients send an empty name where they have none.
  const entityName = input.entityName || entity;
  if (entityName !== entity) throw new HttpStatusError(404, `entity ${entityName} not found`);
  if (input.name === null || input.name === undefined)
    throw new HttpStatusError(400, 'a run needs an id or a name');
  const project = input.modelName || defaultProject;
  refuseReadOnly(context, project);
  return store.findOrCreate({
    entity: entityName,
    project,
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

function keyOf(input: Omit<CreateRunFilesInput, 'files'>) {
  return { entity: input.entityName, project: input.projectName, runId: input.runName };
}

function refuseReadOnly({ settings }: GraphqlContext, project: string): void {
  if (!settings().readOnlyProjects.includes(project)) return;
  throw new HttpStatusError(403, `permission denied: project ${project} is read-only`);
}
