import axios, { isAxiosError } from 'axios';
import { ProxyAgent } from 'proxy-agent';
import { z } from 'zod';

import { Failure } from '../failure.ts';
import type { Agent } from './agent.ts';

const timeoutMs = 10_000;

const InvalidKey = z.looseObject({
  error: z.looseObject({ details: z.array(z.looseObject({ reason: z.literal('API_KEY_INVALID') })) }),
});

/**
 * Asks the model's endpoint for its model list before an agent is started: the agents themselves try a dead endpoint
 * for a minute and more. Throws `AgentUnavailable` (not reached, 429, 5xx) or `AgentRefused` (the key); any other
 * answer, also 404 or 403 from an endpoint that keeps its list to itself, is for the agent to find out.
 */
export async function probeEndpoint(agent: Agent, signal?: AbortSignal): Promise<void> {
  const proxy = new ProxyAgent();
  const origin = new URL(agent.probe.url).origin;
  try {
    const answer = await axios.get<unknown>(agent.probe.url, {
      headers: agent.probe.headers,
      httpAgent: proxy,
      httpsAgent: proxy,
      proxy: false,
      timeout: timeoutMs,
      maxRedirects: 0,
      validateStatus: () => true,
      ...(signal !== undefined && { signal }),
    });
    const refused = answer.status === 401 || InvalidKey.safeParse(answer.data).success;
    const failure = failureOfStatus(agent.name, refused ? 401 : answer.status, origin);
    if (failure !== null && answer.status !== 403 && answer.status !== 404) {
      throw new Failure(failure.type, failure.message, retryAfter(answer.headers['retry-after']));
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (!isAxiosError(error)) throw error;
    throw new Failure(
      'AgentUnavailable',
      `${agent.name}: ${origin} cannot be reached (${error.code ?? 'no answer'}); check the base URL, the proxy and the network`,
    );
  } finally {
    proxy.destroy();
  }
}

/** What an HTTP status of the model's endpoint means for the run; null when it is no failure of the endpoint. */
export function failureOfStatus(name: string, status: number, where: string): Failure | null {
  if (status === 401 || status === 403) {
    return new Failure(
      'AgentRefused',
      `${name}: ${where} answered ${status}; check the API key of the model and what it may use`,
    );
  }
  if (status === 404) {
    return new Failure(
      'AgentRefused',
      `${name}: ${where} answered 404; check the model's name and the base URL`,
    );
  }
  if (status === 429 || (status >= 500 && status !== 501)) {
    return new Failure('AgentUnavailable', `${name}: ${where} answered ${status}; it is busy or down`);
  }
  return null;
}

function retryAfter(header: unknown): { retryAfterMs: number } | undefined {
  const seconds = typeof header === 'string' ? Number(header) : Number.NaN;
  return Number.isFinite(seconds) && seconds > 0 ? { retryAfterMs: Math.ceil(seconds * 1000) } : undefined;
}
