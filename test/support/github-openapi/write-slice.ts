import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { execa } from 'execa';

import { operations } from './operations.ts';

/**
 * Cuts the answers of the operations in use out of GitHub's official description. The whole package takes 394 MB when it
 * is installed, which no `npm ci` should: the slice is kept in the repository, and made anew from the pinned version by
 * `npm run schema:github`.
 */
const source = '@octokit/openapi@23.0.2';
const member = 'package/generated/api.github.com.json';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = { readonly [key: string]: Json };

interface Description {
  readonly paths: Record<string, Record<string, { responses: Record<string, JsonObject> }>>;
  readonly components: Record<string, Record<string, JsonObject>>;
}

const folder = await mkdtemp(join(tmpdir(), 'github-openapi-'));
try {
  await execa('npm', ['pack', source, '--silent'], { cwd: folder });
  await execa('sh', ['-c', `tar xzf *.tgz ${member}`], { cwd: folder });
  const description = JSON.parse(await readFile(join(folder, member), 'utf8')) as Description;
  const slice = { source, ...cut(description) };
  await writeFile(join(import.meta.dirname, 'slice.json'), `${JSON.stringify(slice)}\n`);
} finally {
  await rm(folder, { recursive: true, force: true });
}

function cut({ paths, components }: Description): object {
  const definitions: Record<string, Json> = {};
  const follow = (reference: string): Json => {
    const [, , kind = '', name = ''] = reference.split('/');
    const found = components[kind]?.[name];
    if (found === undefined) throw new Error(`${reference} is not in the description`);
    if (kind !== 'schemas') return found;
    if (definitions[name] === undefined) {
      // Before what it refers to, which may refer back.
      definitions[name] = {};
      definitions[name] = toJsonSchema(found, follow);
    }
    return { $ref: `#/definitions/${name}` };
  };
  const answers = operations.map((operation) => {
    const [method = '', path = ''] = operation.split(' ');
    const responses = paths[path]?.[method.toLowerCase()]?.responses;
    if (responses === undefined) throw new Error(`${operation} is not in the description`);
    const good = Object.entries(responses).filter(([status]) => status.startsWith('2'));
    return [
      operation,
      Object.fromEntries(good.map(([status, answer]) => [status, schemaOf(answer, follow)])),
    ];
  });
  return { answers: Object.fromEntries(answers) as object, definitions };
}

type Follow = (reference: string) => Json;

/** null for an answer without a body. */
function schemaOf(answer: JsonObject, follow: Follow): Json {
  const whole = typeof answer['$ref'] === 'string' ? (follow(answer['$ref']) as JsonObject) : answer;
  const content = (whole['content'] ?? {}) as Record<string, { schema: Json }>;
  const json = content['application/json'] ?? Object.values(content)[0];
  return json === undefined ? null : toJsonSchema(json.schema, follow);
}

/** What OpenAPI 3.0 writes as `nullable` is a type in JSON Schema; words for people are left out. */
function toJsonSchema(schema: Json, follow: Follow): Json {
  if (schema === null || typeof schema !== 'object') return schema;
  if (Array.isArray(schema)) return schema.map((each: Json) => toJsonSchema(each, follow));
  const given = schema as JsonObject;
  if (typeof given['$ref'] === 'string') return follow(given['$ref']);
  const kept = Object.entries(given).filter(([key]) => !isForPeople(key, given[key]));
  const plain: Record<string, Json> = Object.fromEntries(
    kept.map(([key, value]) => [key, toJsonSchema(value, follow)]),
  );
  if (plain['nullable'] !== true) return plain;
  const { nullable: _said, ...rest } = plain;
  if (typeof rest['type'] !== 'string') return { anyOf: [{ type: 'null' }, rest] };
  const values =
    Array.isArray(rest['enum']) && !rest['enum'].includes(null) ? { enum: [...rest['enum'], null] } : {};
  return { ...rest, ...values, type: [rest['type'], 'null'] };
}

function isForPeople(key: string, value: Json | undefined): boolean {
  // A property may be called "description" too; then it is a schema.
  const word = typeof value !== 'object' || value === null;
  if (key === 'description' || key === 'title' || key === 'externalDocs')
    return word || key === 'externalDocs';
  return key === 'example' || key === 'examples' || key.startsWith('x-');
}
