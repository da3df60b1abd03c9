import { readFileSync } from 'node:fs';

import {
  buildSchema,
  type DocumentNode,
  execute,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  parse,
  visit,
} from 'graphql';

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
    const document = parseOrExplain(query);
    if (document instanceof GraphQLError) return { status: 400, body: { errors: [document] } };
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

/** By the scalars that they have beyond the file's own: building one takes longer than answering a question. */
const schemas = new Map<string, GraphQLSchema>();

/** A client may name input types that are only handed through: they count as scalars here. */
function schemaFor(document: DocumentNode) {
  const known = new Set(
    [...typeDefinitions.matchAll(/^(?:scalar|type|input|enum) (\w+)/gm)].map(([, name]) => name),
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
  const scalars = [...unknown].toSorted().map((name) => `scalar ${name}`);
  const key = scalars.join(' ');
  const schema = schemas.get(key) ?? buildSchema([typeDefinitions, ...scalars].join('\n'));
  schemas.set(key, schema);
  return schema;
}

function parseOrExplain(query: string): DocumentNode | GraphQLError {
  try {
    return parse(query);
  } catch (error) {
    if (error instanceof GraphQLError) return error;
    throw error;
  }
}

function isStatusError(error: unknown): error is HttpStatusError {
  return error instanceof HttpStatusError;
}
