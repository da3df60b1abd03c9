import { readFileSync } from 'node:fs';

import { buildSchema, type DocumentNode, execute, Kind, parse, visit } from 'graphql';

import type { GraphqlContext } from './graphql-context.ts';
import { createMutations } from './graphql-mutations.ts';
import { createQueries } from './graphql-queries.ts';
import { HttpStatusError } from './http-status-error.ts';

interface GraphqlRequest {
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>> | null | undefined;
  readonly operationName?: string | null | undefined;
}

const typeDefinitions = readFileSync(new URL('schema.graphql', import.meta.url), 'utf8');
/** Answers one GraphQL request; `status` is not 200 where W&B answers with a status of HTTP. */
export type GraphqlApi = (
  request: GraphqlRequest,
) => Promise<{ readonly status: number; readonly body: object }>;

export function createGraphqlApi(context: GraphqlContext): GraphqlApi {
  const root = { ...createQueries(context), ...createMutations(context) };
  return async ({ query, variables, operationName }) => {
    const document = parse(query);
    const result = await execute({
      schema: schemaFor(document),
      document,
      rootValue: root,
      variableValues: { ...variables },
      // Python's client sends an empty name where it has none.
      operationName: operationName || null,
    });
    const failure = result.errors?.map((error) => error.originalError).find(isStatusError);
    if (failure !== undefined) {
      return { status: failure.status, body: { errors: [{ message: failure.message }] } };
    }
    return { status: 200, body: result };
  };
}

/** A client may name input types that are only handed through: they count as scalars here. */
function schemaFor(document: DocumentNode) {
  const known = new Set(
    [...typeDefinitions.matchAll(/^(?:scalar|type|input) (\w+)/gm)].map(([, name]) => name),
  );
  const builtIn = ['String', 'Int', 'Float', 'Boolean', 'ID'];
  const unknown = new Set<string>();
  visit(document, {
    VariableDefinition(node) {
      let { type } = node;
      while (type.kind !== Kind.NAMED_TYPE) type = type.type;
      const name = type.name.value;
      if (!known.has(name) && !builtIn.includes(name)) unknown.add(name);
    },
  });
  return buildSchema([typeDefinitions, ...[...unknown].map((name) => `scalar ${name}`)].join('\n'));
}

function isStatusError(error: unknown): error is HttpStatusError {
  return error instanceof HttpStatusError;
}
