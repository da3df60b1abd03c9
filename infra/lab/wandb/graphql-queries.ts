import { describeArtifact, serverIdOf } from './artifact-mutations.ts';
import { defaultProject, type GraphqlContext } from './graphql-context.ts';
import { connection, page, runFields } from './run-fields.ts';
import { fitsFilter } from './run-filter.ts';
import { runState } from './run-record.ts';
import type { StoredRun } from './run-store.ts';

interface RunsArguments {
  readonly filters?: string | null;
  readonly after?: string | null;
  readonly first?: number | null;
  readonly order?: string | null;
}

interface ProjectArguments {
  readonly name?: string | null;
  readonly entityName?: string | null;
}

/** The reading half of the interface. */
export function createQueries(context: GraphqlContext) {
  const { store, entity } = context;
  const findProject = (args: ProjectArguments) => {
    const entityName = args.entityName ?? entity;
    const name = args.name ?? defaultProject;
    return store.list(entityName, name).length === 0 ? null : projectFields(context, entityName, name);
  };
  return {
    viewer: {
      id: 'VXNlcjox',
      entity,
      username: entity,
      email: `${entity}@wandb.example`,
      flags: '{}',
      admin: false,
      teams: { edges: [{ node: entityFields(entity) }] },
    },
    serverInfo: {
      features: () => context.settings().features.map((name) => ({ name, isEnabled: true })),
      cliVersionInfo: { max_cli_version: '99.0.0' },
      latestLocalVersionInfo: null,
    },
    entity: ({ name }: { name?: string | null }) =>
      (name ?? entity) === entity ? entityFields(entity) : null,
    clientIDMapping({ clientID }: { clientID: string }) {
      const serverID = serverIdOf(context, clientID);
      return serverID === undefined ? null : { serverID };
    },
    artifact({ id }: { id: string }) {
      const found = context.artifacts.find(id);
      return found === undefined ? null : describeArtifact(context, found);
    },
    project: findProject,
    model: findProject,
  };
}

/** A stored run as the GraphQL type `Run`. */
export function describeRun(context: GraphqlContext, run: StoredRun): object {
  return runFields(run, {
    baseUrl: context.baseUrl(),
    settings: context.settings,
    artifacts: ({ entity, project, runId }) =>
      context.artifacts
        .list((each) => each.entity === entity && each.project === project && each.runId === runId)
        .map((each) => describeArtifact(context, each)),
    project: (entity, name) => projectFields(context, entity, name),
  });
}

function projectFields(context: GraphqlContext, entityName: string, name: string): object {
  const { store, settings } = context;
  const stateOf = (record: StoredRun['record']) =>
    runState(record, Date.now(), settings().crashedAfterSeconds);
  const runs = (args: RunsArguments) =>
    ordered(store.list(entityName, name), args.order).filter(({ record }) =>
      fitsFilter({ ...record, state: stateOf(record) }, args.filters),
    );
  const run = (args: { name: string }) => {
    const found = store.find({ entity: entityName, project: name, runId: args.name });
    return found === undefined || found.record.deleted ? null : describeRun(context, found);
  };
  return {
    id: Buffer.from(`Project:v1:${name}:${entityName}`).toString('base64'),
    internalId: '1',
    name,
    entityName,
    entity: entityFields(entityName),
    isBenchmark: false,
    readOnly: () => settings().readOnlyProjects.includes(name),
    artifactType: null,
    run,
    bucket: run,
    runCount: (args: RunsArguments) => runs(args).length,
    runs: (args: RunsArguments) =>
      connection(
        runs(args).map((each) => describeRun(context, each)),
        page(args),
      ),
  };
}

function entityFields(name: string): object {
  return {
    id: Buffer.from(`Entity:${name}`).toString('base64'),
    name,
    organization: { coreWeaveOrganizationId: null },
    xxhashDigestsEnabled: false,
  };
}

function ordered(runs: readonly StoredRun[], order: string | null | undefined): readonly StoredRun[] {
  return order?.startsWith('+') === true ? runs.toReversed() : runs;
}
