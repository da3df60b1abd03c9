import type { FastifyRequest } from 'fastify';

/** Undefined when there is no JSON; the schemas say what was expected instead. */
export function requestJson(request: FastifyRequest): unknown {
  if (!(request.body instanceof Buffer)) return undefined;
  try {
    return JSON.parse(request.body.toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
