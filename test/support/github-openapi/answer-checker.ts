import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Ajv, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';

interface Slice {
  readonly answers: Readonly<Record<string, Readonly<Record<string, object | null>>>>;
  readonly definitions: Readonly<Record<string, object>>;
}

interface Answer {
  readonly method: string;
  /** With the parameters by name, `:owner` or `{owner}`; the names themselves do not matter. */
  readonly route: string;
  readonly status: number;
  readonly body: string;
}

export interface AnswerChecker {
  check(answer: Answer): void;
  /** What was not as the description has it; each once. */
  readonly problems: readonly string[];
  /** Operations of the description that were checked. */
  readonly seen: ReadonlySet<string>;
}

/** Compares good answers with GitHub's official description; operations that it does not hold are passed over. */
export function createAnswerChecker(): AnswerChecker {
  const slice = JSON.parse(readFileSync(join(import.meta.dirname, 'slice.json'), 'utf8')) as Slice;
  const ajv = new Ajv({ strict: false, allErrors: true });
  formats.default(ajv);
  ajv.addSchema({ $id: 'github', definitions: slice.definitions });
  const byShape = new Map(Object.keys(slice.answers).map((operation) => [shape(operation), operation]));
  const validators = new Map<string, ValidateFunction>();
  const problems = new Set<string>();
  const seen = new Set<string>();
  return {
    check({ method, route, status, body }) {
      const operation = byShape.get(shape(`${method} ${route}`));
      if (operation === undefined || status >= 300) return;
      seen.add(operation);
      const schema = slice.answers[operation]?.[status];
      if (schema === undefined) {
        problems.add(`${operation}: the description has no answer ${status}`);
        return;
      }
      if (schema === null) return;
      const key = `${operation} ${status}`;
      const validate = validators.get(key) ?? ajv.compile(within(schema));
      validators.set(key, validate);
      if (validate(JSON.parse(body))) return;
      for (const { instancePath, message, params } of validate.errors ?? []) {
        const where = instancePath.replaceAll(/\/\d+/g, '/*');
        problems.add(`${key}: ${where} ${message ?? ''} ${JSON.stringify(params)}`);
      }
    },
    get problems() {
      return [...problems];
    },
    seen,
  };
}

function shape(operation: string): string {
  return operation.replaceAll(/:\w+|\{\w+\}|\*/g, '{}');
}

/** References lead into the definitions that all answers share. */
function within(schema: object): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/definitions/', '"github#/definitions/')) as object;
}
